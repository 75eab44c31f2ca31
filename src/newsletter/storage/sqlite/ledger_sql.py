"""The ledger's statements. Sets, not loops: a batch is one statement over json_each, so that Python's lock is let go
once per batch instead of once per row while the sending loop needs it.
"""

PLAN_CAMPAIGN = """
INSERT INTO campaign (issue, digest, planned, planned_at) VALUES (?, ?, 0, ?) RETURNING id
"""

INCOMING = """
CREATE TEMP TABLE incoming (
    row INTEGER PRIMARY KEY, address TEXT NOT NULL, subscriber TEXT NOT NULL, reader BLOB, chosen INTEGER NOT NULL
)
"""

PLAN_ADDRESSES = """
INSERT INTO entry_address (campaign, address, entry)
SELECT :campaign, address, :base + first
FROM (SELECT address, min(row) AS first, chosen FROM incoming GROUP BY address) AS new  -- with `chosen` of that row
WHERE chosen AND NOT EXISTS (
    SELECT 1 FROM entry_address AS known WHERE known.campaign = :campaign AND known.address = new.address
)
ORDER BY address
"""

PLAN_ENTRIES = """
INSERT INTO entry (id, campaign, address, subscriber, state, reply, updated_at, reader)
SELECT known.entry, :campaign, incoming.address, incoming.subscriber,
       CASE WHEN coalesce(stop.id, gone.id) IS NULL THEN 'pending' ELSE 'suppressed' END,
       coalesce(stop.reason, gone.reason, ''), :now, incoming.reader
FROM incoming
CROSS JOIN entry_address AS known ON known.campaign = :campaign AND known.address = incoming.address
    AND known.entry = :base + incoming.row
LEFT JOIN suppression AS stop ON stop.address = incoming.address
LEFT JOIN suppression AS gone ON gone.reader = incoming.reader
ORDER BY incoming.row
"""

PLAN_READERS = """
INSERT INTO entry_reader (campaign, reader, entry)
SELECT campaign, reader, id FROM entry WHERE id > :base AND reader IS NOT NULL ORDER BY reader
"""

RECONCILE = """
UPDATE entry SET state = 'suppressed', reply = 'no longer active in the list', updated_at = :now
WHERE campaign = :campaign AND state IN ('pending', 'deferred')
  AND NOT EXISTS (SELECT 1 FROM incoming WHERE incoming.address = entry.address)
"""

CLAIM = """
UPDATE entry SET state = 'claimed', run = :run, lease_until = :until, updated_at = :now
WHERE id IN (
    SELECT id FROM entry
    WHERE campaign = :campaign AND state IN ('pending', 'deferred') AND next_attempt_at <= :now
      AND (:states = '' OR instr(:states, ',' || state || ','))
    ORDER BY next_attempt_at, id LIMIT :limit
)
RETURNING id, subscriber, attempts, first_attempt_at
"""

# Never our own: what this run holds is in its memory still, and a second copy of it would be refused its intent.
CLAIM_LEASED = """
UPDATE entry SET run = :run, lease_until = :until, updated_at = :now
WHERE id IN (
    SELECT id FROM entry
    WHERE campaign = :campaign AND state = 'claimed' AND lease_until <= :now AND run <> :run
    ORDER BY id LIMIT :limit
)
RETURNING id, subscriber, attempts, first_attempt_at
"""

INTEND = """
UPDATE entry SET state = 'in_flight', message_id = wish.message_id, updated_at = :now
FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS message_id
      FROM json_each(:intents)) AS wish
WHERE entry.id = wish.id AND entry.state = 'claimed' AND entry.run = :run
  AND NOT EXISTS (SELECT 1 FROM suppression WHERE suppression.address = entry.address)
  AND NOT EXISTS (SELECT 1 FROM suppression WHERE suppression.reader = entry.reader)
"""

INTEND_TELLING = f"{INTEND} RETURNING entry.id"

SUPPRESS_REFUSED = """
UPDATE entry SET state = 'suppressed', updated_at = :now, reply = stop.reason
FROM suppression AS stop
WHERE entry.id IN (SELECT json_extract(value, '$[0]') FROM json_each(:intents))
  AND entry.state = 'claimed' AND entry.run = :run
  AND stop.id = coalesce((SELECT id FROM suppression WHERE suppression.address = entry.address),
                         (SELECT id FROM suppression WHERE suppression.reader = entry.reader))
"""

# An outcome of our own run, or the late truth about an entry that somebody declared in doubt meanwhile.
SETTLE = """
UPDATE entry SET state = told.state, reply = told.reply, updated_at = told.at,
    attempts = attempts + told.charged, next_attempt_at = told.due,
    first_attempt_at = CASE WHEN told.charged THEN coalesce(first_attempt_at, told.at)
                            ELSE first_attempt_at END
FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS state,
             json_extract(value, '$[2]') AS at, json_extract(value, '$[5]') AS reply,
             json_extract(value, '$[8]') AS charged, json_extract(value, '$[9]') AS due
      FROM json_each(:outcomes)) AS told
WHERE entry.id = told.id AND entry.run = :run
  AND (entry.state IN ('in_flight', 'claimed') OR (entry.state = 'in_doubt' AND told.state <> 'in_doubt'))
"""

REMEMBER = """
INSERT INTO attempt (entry, run, at, state, stage, code, reply, message_id, seconds)
SELECT json_extract(value, '$[0]'), :run, json_extract(value, '$[2]'), json_extract(value, '$[1]'),
       json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
       json_extract(value, '$[6]'), json_extract(value, '$[7]')
FROM json_each(:outcomes) WHERE json_extract(value, '$[3]') <> ''
"""

SUPPRESS_TOLD = """
INSERT OR IGNORE INTO suppression (reader, address, reason, source, at)
SELECT entry.reader, entry.address, json_extract(value, '$[10]'), 'send', json_extract(value, '$[2]')
FROM json_each(:outcomes) JOIN entry ON entry.id = json_extract(value, '$[0]')
WHERE json_extract(value, '$[10]') IS NOT NULL
"""

TELL_SUPPRESSED = """
INSERT INTO event (reader, at, change, source, reason)
SELECT entry.reader, json_extract(value, '$[2]'), 'suppressed', 'send ' || campaign.issue, json_extract(value, '$[10]')
FROM json_each(:outcomes) JOIN entry ON entry.id = json_extract(value, '$[0]')
JOIN campaign ON campaign.id = entry.campaign
WHERE json_extract(value, '$[10]') IS NOT NULL AND entry.reader IS NOT NULL
"""

SUPPRESSED = """
SELECT reason FROM suppression WHERE address = :address
UNION ALL SELECT reason FROM suppression WHERE reader = :reader
"""

COUNT_DAY = """
INSERT INTO daily (day, accepted)
SELECT date(json_extract(value, '$[2]'), 'unixepoch'), count(*) FROM json_each(:outcomes)
WHERE json_extract(value, '$[1]') = 'accepted' GROUP BY 1
ON CONFLICT (day) DO UPDATE SET accepted = accepted + excluded.accepted
"""

POSTPONE = """
UPDATE entry SET state = CASE WHEN attempts THEN 'deferred' ELSE 'pending' END, lease_until = NULL,
    next_attempt_at = :until, updated_at = :now
WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 'claimed' AND run = :run
"""

RECOVER_IN_FLIGHT = """
UPDATE entry SET state = 'in_doubt', updated_at = :now,
    reply = 'the sender died before the server''s answer was on record'
WHERE campaign = :campaign AND state = 'in_flight' AND run < :run
RETURNING id, message_id
"""

RECOVER_CLAIMED = """
UPDATE entry SET state = CASE WHEN attempts THEN 'deferred' ELSE 'pending' END, lease_until = NULL, updated_at = :now
WHERE campaign = :campaign AND state = 'claimed' AND run < :run
"""

RELEASE = """
UPDATE entry SET state = CASE WHEN attempts THEN 'deferred' ELSE 'pending' END, lease_until = NULL, updated_at = :now
WHERE campaign = :campaign AND state = 'claimed' AND run = :run
"""

EXPIRE = """
UPDATE entry SET state = 'expired', updated_at = :now
WHERE campaign = :campaign AND state = 'deferred' AND first_attempt_at < :before
"""

NEXT_DUE = """
SELECT min(next_attempt_at) FROM entry
WHERE campaign = :campaign AND state IN ('pending', 'deferred')
  AND (:states = '' OR instr(:states, ',' || state || ','))
"""

COUNTS = "SELECT state, count(*) FROM entry WHERE campaign = ? GROUP BY state"

SELECT_ENTRIES = """
SELECT id, subscriber, state, attempts, next_attempt_at, message_id, reply, updated_at FROM entry
WHERE campaign = :campaign AND id > :after AND (:states = '' OR instr(:states, ',' || state || ','))
ORDER BY id LIMIT 1000
"""

SELECT_ENTRY = """
SELECT id, subscriber, state, attempts, next_attempt_at, message_id, reply, updated_at FROM entry
WHERE id = (SELECT entry FROM entry_address WHERE campaign = ? AND address = ?)
"""

SELECT_READER = """
SELECT entry.subscriber FROM entry_reader JOIN entry ON entry.id = entry_reader.entry
WHERE entry_reader.campaign = ? AND entry_reader.reader = ?
"""

SELECT_ATTEMPTS = """
SELECT attempt.at, entry.subscriber, attempt.state, attempt.stage, attempt.code, attempt.reply,
       attempt.message_id, attempt.seconds, attempt.run, attempt.id
FROM attempt JOIN entry ON entry.id = attempt.entry
WHERE entry.campaign = :campaign AND attempt.id > :after
  AND (:states = '' OR instr(:states, ',' || attempt.state || ','))
  AND (:address IS NULL OR entry.address = :address)
ORDER BY attempt.id LIMIT 1000
"""

RESOLVE = """
UPDATE entry SET state = :state, next_attempt_at = 0, updated_at = :now, reply = :why
WHERE campaign = :campaign AND state = 'in_doubt'
  AND (:addresses = '[]' OR address IN (SELECT value FROM json_each(:addresses)))
RETURNING id, message_id
"""
