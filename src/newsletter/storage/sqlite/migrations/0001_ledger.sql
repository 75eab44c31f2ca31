-- Times are seconds since the epoch. JSON is text that SQLite's own functions read.

CREATE TABLE campaign (
    id INTEGER PRIMARY KEY,
    issue INTEGER NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    planned INTEGER NOT NULL,
    planned_at REAL NOT NULL,
    run INTEGER NOT NULL DEFAULT 0          -- the fence: the number of the latest run
);

CREATE TABLE entry (
    id INTEGER PRIMARY KEY,                 -- rises in the order of the list
    campaign INTEGER NOT NULL REFERENCES campaign,
    address TEXT NOT NULL,                  -- normalised: what makes two spellings one subscriber
    subscriber TEXT NOT NULL,               -- JSON, frozen when planned
    state TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'in_flight', 'accepted', 'deferred',
                                         'failed', 'in_doubt', 'suppressed', 'expired')),
    attempts INTEGER NOT NULL DEFAULT 0,
    first_attempt_at REAL,
    next_attempt_at REAL NOT NULL DEFAULT 0,
    lease_until REAL,
    run INTEGER,                            -- who claimed it
    message_id TEXT NOT NULL DEFAULT '',
    reply TEXT NOT NULL DEFAULT '',
    updated_at REAL NOT NULL
);

-- Holds the promise "one row per campaign and address". Apart from `entry`, so that planning a million
-- recipients writes both tables in their own order instead of one index in random order.
CREATE TABLE entry_address (
    campaign INTEGER NOT NULL REFERENCES campaign,
    address TEXT NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (campaign, address)
) WITHOUT ROWID;

-- Only what waits is indexed: settling an entry costs no index write.
CREATE INDEX entry_due ON entry (campaign, next_attempt_at, id) WHERE state IN ('pending', 'deferred');
CREATE INDEX entry_leased ON entry (campaign, lease_until) WHERE state = 'claimed';

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,                 -- append-only
    entry INTEGER NOT NULL REFERENCES entry,
    run INTEGER NOT NULL,
    at REAL NOT NULL,
    state TEXT NOT NULL,
    stage TEXT NOT NULL,
    code INTEGER,
    reply TEXT NOT NULL,
    message_id TEXT NOT NULL,
    seconds REAL NOT NULL
);

CREATE TABLE suppression (
    address TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE remark (                       -- decisions of people: a changed edition, a doubt resolved
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaign,
    at REAL NOT NULL,
    what TEXT NOT NULL
);

CREATE TABLE daily (                        -- accepted messages per UTC day, for the warm-up of a new sender
    day TEXT PRIMARY KEY,
    accepted INTEGER NOT NULL
) WITHOUT ROWID;
