-- What `options` records in addition: bytes of WAL, and of the tables and indexes of factors.
CREATE TABLE bench.written (label text, wal numeric, size bigint);
