-- What came back: reports, which mails were read already, and whose a Message-ID is.

CREATE TABLE returned (
    id INTEGER PRIMARY KEY,                 -- append-only, but for people who are forgotten
    at REAL NOT NULL,
    reader BLOB,                            -- whom it is about, or only claims to be: see `proven`
    issue INTEGER,
    proven INTEGER NOT NULL,
    action TEXT NOT NULL,
    source TEXT NOT NULL,
    report TEXT NOT NULL                    -- JSON
);
CREATE INDEX returned_reader ON returned (reader, id) WHERE reader IS NOT NULL;

CREATE TABLE seen (                         -- mails and calls that were read already
    digest BLOB PRIMARY KEY,
    at REAL NOT NULL
) WITHOUT ROWID;

-- Filled from `attempt` when a Message-ID is looked up, so that sending costs nothing more. A beginning tells enough.
CREATE TABLE message (
    start TEXT NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (start, entry)
) WITHOUT ROWID;
CREATE TABLE message_upto (attempt INTEGER NOT NULL);   -- the last attempt that is in `message`
INSERT INTO message_upto (attempt) VALUES (0);
