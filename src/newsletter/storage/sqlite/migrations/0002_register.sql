-- Subscribers, consents, suppressions and everybody's story. `reader` is Keyring.subscriber_id of the address key.

CREATE TABLE subscriber (
    id INTEGER PRIMARY KEY,                 -- rises in the order of joining
    reader BLOB NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'unsubscribed')),
    subscriber TEXT NOT NULL,               -- JSON, as in `entry`
    updated_at REAL NOT NULL
);

CREATE TABLE event (
    id INTEGER PRIMARY KEY,                 -- append-only, but for people who are forgotten
    reader BLOB NOT NULL,
    at REAL NOT NULL,
    change TEXT NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX event_reader ON event (reader, id);
CREATE INDEX event_at ON event (at, change);

CREATE TABLE consent (
    id INTEGER PRIMARY KEY,
    reader BLOB NOT NULL,
    at REAL NOT NULL,
    how TEXT NOT NULL,
    wording TEXT NOT NULL,
    network TEXT NOT NULL
);
CREATE INDEX consent_reader ON consent (reader, id);

-- Known by id, by address or by both: who is forgotten has no address here, an early database no ids.
ALTER TABLE suppression RENAME TO early_suppression;
CREATE TABLE suppression (
    id INTEGER PRIMARY KEY,
    reader BLOB UNIQUE,
    address TEXT UNIQUE,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    at REAL NOT NULL,
    CHECK (reader IS NOT NULL OR address IS NOT NULL)
);
INSERT INTO suppression (address, reason, source, at)
SELECT address, reason, 'send', at FROM early_suppression ORDER BY at;
DROP TABLE early_suppression;

-- Who an entry is for, so that a token alone can stop it and a return path alone can find it.
ALTER TABLE entry ADD COLUMN reader BLOB;
CREATE TABLE entry_reader (
    reader BLOB NOT NULL,
    campaign INTEGER NOT NULL REFERENCES campaign,
    entry INTEGER NOT NULL,
    PRIMARY KEY (campaign, reader)
) WITHOUT ROWID;

CREATE TABLE confirmation (                 -- mails that ask for a confirmation
    reader BLOB PRIMARY KEY,
    asked INTEGER NOT NULL,                 -- how many were queued since the last answer
    asked_at REAL NOT NULL,                 -- when the latest was queued
    due_at REAL,                            -- when to send it; NULL when none waits
    attempts INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX confirmation_due ON confirmation (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE allowance (                    -- how much of its limit a network or an address has used
    bucket TEXT PRIMARY KEY,
    until REAL NOT NULL,
    used INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE identity (                     -- what the key that makes the ids makes of a fixed word
    proof BLOB NOT NULL
);
