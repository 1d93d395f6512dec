-- One index, kept by revisions. A row is seen at revision r where added <= r and it was not removed at or before r, so
-- that whoever reads at one revision sees that revision whole, on any node and over any number of statements.

CREATE TABLE milkwise.revisions (
    number bigint PRIMARY KEY,
    generation text NOT NULL,           -- the name of its content; nodes that share a number share this too
    facts text,                         -- what it was built from: the manifest as JSON, less its documents
    passages bigint NOT NULL,           -- how many there are, and how many words they have together, for BM25
    words bigint NOT NULL,
    made timestamptz NOT NULL DEFAULT now()
);
INSERT INTO milkwise.revisions (number, generation, passages, words) VALUES (0, '', 0, 0);

CREATE TABLE milkwise.documents (
    id text COLLATE "C" NOT NULL,
    digest text NOT NULL,
    json text NOT NULL,
    added bigint NOT NULL,
    removed bigint,
    PRIMARY KEY (id, added)
);
CREATE UNIQUE INDEX documents_current ON milkwise.documents (id) INCLUDE (digest) WHERE removed IS NULL;
CREATE INDEX documents_removed ON milkwise.documents (removed) WHERE removed IS NOT NULL;

CREATE TABLE milkwise.passages (
    row bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    document text COLLATE "C" NOT NULL,
    place integer NOT NULL,             -- in its document, from 0
    length integer NOT NULL,            -- in words, those of its headings and questions counted
    json text NOT NULL,
    added bigint NOT NULL,
    removed bigint
);
CREATE UNIQUE INDEX passages_current ON milkwise.passages (id) WHERE removed IS NULL;
CREATE INDEX passages_id ON milkwise.passages (id);
CREATE INDEX passages_document ON milkwise.passages (document, place);
CREATE INDEX passages_added ON milkwise.passages (added);
CREATE INDEX passages_removed ON milkwise.passages (removed) WHERE removed IS NOT NULL;

CREATE TABLE milkwise.vectors (
    passage bigint NOT NULL,
    place integer NOT NULL,             -- 0 the passage's text, then its sentences, then its questions
    dim integer NOT NULL,
    embedding vector NOT NULL,
    PRIMARY KEY (passage, place)
);

CREATE TABLE milkwise.postings (
    word text COLLATE "C" NOT NULL,
    passage bigint NOT NULL,
    weight real NOT NULL,               -- how often the passage has it, twice that in headings and questions
    length integer NOT NULL             -- of the passage
);
CREATE INDEX postings_word ON milkwise.postings (word) INCLUDE (passage, weight, length);
CREATE INDEX postings_passage ON milkwise.postings (passage);
