"""The register's statements. `reader` is the id of a person; `arriving` and `gathered` are an import."""

MEMBER = "SELECT id, reader, subscriber, status, updated_at FROM subscriber WHERE reader = ?"

MEMBERS = """
SELECT id, reader, subscriber, status, updated_at FROM subscriber
WHERE id > :after AND (:statuses = '' OR instr(:statuses, ',' || status || ','))
ORDER BY id LIMIT 1000
"""

SAVE = """
INSERT INTO subscriber (reader, status, subscriber, updated_at)
VALUES (:reader, :status, :subscriber, :at)
ON CONFLICT (reader) DO UPDATE
SET status = excluded.status, subscriber = excluded.subscriber, updated_at = excluded.updated_at
RETURNING id
"""

SET_STATUS = """
UPDATE subscriber SET status = :status, updated_at = :at WHERE reader = :reader AND status <> :status
"""

TELL = """
INSERT INTO event (reader, at, change, source, reason) VALUES (:reader, :at, :change, :source, :reason)
"""

AGREE = """
INSERT INTO consent (reader, at, how, wording, network) VALUES (:reader, :at, :how, :wording, :network)
"""

SUPPRESS = """
INSERT OR IGNORE INTO suppression (reader, address, reason, source, at)
VALUES (:reader, :address, :reason, :source, :at)
"""

# Somebody may be known by the address alone, from an early database; then the id is added.
KNOW = (
    "UPDATE OR IGNORE suppression SET reader = :reader WHERE address = :address AND reader IS NULL"
)

LIFT = "DELETE FROM suppression WHERE reader = :reader OR address = :address"

SUPPRESSION = "SELECT reader, address, reason, source, at FROM suppression WHERE reader = ?"

SUPPRESSIONS = """
SELECT reader, address, reason, source, at, id FROM suppression WHERE id > ? ORDER BY id LIMIT 1000
"""

HISTORY = "SELECT at, change, source, reason FROM event WHERE reader = ? ORDER BY id"

CONSENTS = "SELECT at, how, wording, network FROM consent WHERE reader = ? ORDER BY id"

CHANGES = "SELECT change, count(*) FROM event WHERE at >= ? GROUP BY change"

# What the ledger keeps of somebody who is forgotten: that there was an entry, and how it ended.
FORGET_ATTEMPTS = """
UPDATE attempt SET reply = '' WHERE entry IN (SELECT entry FROM entry_reader WHERE reader = :reader)
"""
FORGET_ADDRESSES = """
UPDATE entry_address SET address = :stand_in || '-' || entry
WHERE entry IN (SELECT entry FROM entry_reader WHERE reader = :reader)
"""
FORGET_ENTRIES = """
UPDATE entry SET address = :stand_in || '-' || id, subscriber = :nobody, reply = '',
    state = CASE WHEN state IN ('pending', 'deferred') THEN 'suppressed' ELSE state END
WHERE id IN (SELECT entry FROM entry_reader WHERE reader = :reader)
"""

ASK = """
INSERT INTO confirmation (reader, asked, asked_at, due_at) VALUES (:reader, 1, :now, :now)
ON CONFLICT (reader) DO UPDATE SET asked = asked + 1, asked_at = :now, due_at = :now, attempts = 0
WHERE asked < :most AND asked_at <= :now - :pause
"""

TO_CONFIRM = """
SELECT s.id, s.reader, s.subscriber, s.status, s.updated_at, c.attempts, c.asked_at
FROM confirmation AS c JOIN subscriber AS s ON s.reader = c.reader
WHERE c.due_at <= :now ORDER BY c.due_at LIMIT :limit
"""

ASK_AGAIN = (
    "UPDATE confirmation SET due_at = :again, attempts = attempts + 1 WHERE reader = :reader"
)

ASKED = "UPDATE confirmation SET due_at = NULL WHERE reader = :reader"

# The first of a span opens it; a bucket that is full stays so until the span ends.
SPEND = """
INSERT INTO allowance (bucket, until, used) VALUES (:bucket, :now + :seconds, 1)
ON CONFLICT (bucket) DO UPDATE
SET used = CASE WHEN until <= :now THEN 1 ELSE used + 1 END,
    until = CASE WHEN until <= :now THEN :now + :seconds ELSE until END
WHERE until <= :now OR used < :most
"""

STALE = """
SELECT s.reader FROM subscriber AS s LEFT JOIN confirmation AS c ON c.reader = s.reader
WHERE s.status = 'pending' AND max(s.updated_at, coalesce(c.asked_at, 0)) < :before
"""

# ---- imports -------------------------------------------------------------------------------------------------

ARRIVING = """
CREATE TEMP TABLE arriving (
    row INTEGER PRIMARY KEY, reader BLOB NOT NULL, address TEXT NOT NULL, subscriber TEXT NOT NULL,
    status TEXT NOT NULL, suppress TEXT
)
"""

# One row for each person, the first of the file; that they have left, or must not be mailed, counts from any row.
GATHER = """
CREATE TEMP TABLE gathered AS
SELECT person.*,
    CASE WHEN known IS NULL THEN CASE WHEN suppressed THEN 'kept_out' ELSE 'added' END
         WHEN was = 'unsubscribed' OR suppressed THEN
            CASE WHEN status = 'unsubscribed' OR suppress IS NOT NULL THEN 'unchanged' ELSE 'kept_unsubscribed' END
         WHEN status = 'unsubscribed' OR suppress IS NOT NULL THEN 'left'
         WHEN merged <> known OR (was = 'pending' AND status = 'active') THEN 'updated'
         ELSE 'unchanged' END AS fate
FROM (
    SELECT a.row, a.reader, a.address, g.suppress, g.count, s.subscriber AS known, s.status AS was,
        CASE WHEN g.gone THEN 'unsubscribed' ELSE a.status END AS status,
        CASE WHEN s.id IS NULL THEN a.subscriber
             ELSE merge_subscriber(s.subscriber, a.subscriber, :overwrite) END AS merged,
        EXISTS (SELECT 1 FROM suppression WHERE suppression.reader = a.reader)
            OR EXISTS (SELECT 1 FROM suppression WHERE suppression.address = a.address) AS suppressed
    FROM (SELECT reader, min(row) AS row, count(*) AS count, max(status = 'unsubscribed') AS gone,
                 max(suppress) AS suppress
          FROM arriving GROUP BY reader) AS g
    JOIN arriving AS a ON a.row = g.row
    LEFT JOIN subscriber AS s ON s.reader = g.reader
) AS person
ORDER BY row
"""

FATES = """
SELECT fate, status, count(*), sum(count - 1) FROM temp.gathered GROUP BY fate, status
"""

ADD_ARRIVED = """
INSERT INTO subscriber (reader, status, subscriber, updated_at)
SELECT reader, status, merged, :at FROM temp.gathered WHERE fate = 'added' ORDER BY row
"""

UPDATE_ARRIVED = """
UPDATE subscriber SET subscriber = g.merged, updated_at = :at,
    status = CASE WHEN g.status = 'unsubscribed' OR (g.was = 'pending' AND g.status = 'active') THEN g.status
                  ELSE subscriber.status END
FROM temp.gathered AS g WHERE subscriber.reader = g.reader AND g.fate IN ('updated', 'left')
"""

SUPPRESS_ARRIVED = """
INSERT OR IGNORE INTO suppression (reader, address, reason, source, at)
SELECT reader, address, coalesce(suppress, 'unsubscribed'), :source, :at FROM temp.gathered
WHERE fate IN ('added', 'left') AND (status = 'unsubscribed' OR suppress IS NOT NULL) ORDER BY reader
"""

TELL_ARRIVED = """
INSERT INTO event (reader, at, change, source, reason)
SELECT reader, :at, CASE WHEN fate = 'left' AND suppress IS NULL THEN 'unsubscribed'
                         WHEN fate = 'left' THEN 'suppressed'
                         WHEN fate = 'updated' THEN 'updated' ELSE 'imported' END,
       :source, coalesce(suppress, CASE WHEN fate = 'added' THEN 'as ' || status ELSE '' END)
FROM temp.gathered WHERE fate IN ('added', 'left', 'updated') ORDER BY reader
"""

AGREE_ARRIVED = """
INSERT INTO consent (reader, at, how, wording, network)
SELECT reader, :at, :how, :wording, :network FROM temp.gathered
WHERE fate = 'added' AND status = 'active' AND suppress IS NULL ORDER BY reader
"""
