-- The audit log. Events of one topic and partition key form a chain: sequence counts from 1, previous_hash is the hash
-- of the row before ('' for the first), hash is sha256 of previous_hash, a line feed and the event as written in `event`.
--
-- A batch whose outcome is unknown is written again with the same sequences and hashes: such rows are equal in the whole
-- sorting key and become one. Rows that differ never do, so a forged or forked row stays visible.
CREATE TABLE IF NOT EXISTS events
(
    topic          LowCardinality(String),
    partitionkey   String,
    sequence       UInt64 CODEC (Delta, ZSTD),
    event_id       String CODEC (ZSTD),
    type           LowCardinality(String),
    correlation_id String CODEC (ZSTD),
    time           DateTime64(3, 'UTC') CODEC (Delta, ZSTD),
    event          String CODEC (ZSTD(3)),
    previous_hash  String CODEC (ZSTD),
    hash           String CODEC (ZSTD),
    INDEX events_by_id event_id TYPE bloom_filter GRANULARITY 1,
    INDEX events_by_correlation correlation_id TYPE bloom_filter GRANULARITY 1,
    INDEX events_by_time time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (topic, partitionkey, sequence, hash);

-- The newest row of each chain, kept apart from the chain so that a cut-off end shows.
CREATE TABLE IF NOT EXISTS chain_heads
(
    topic        LowCardinality(String),
    partitionkey String,
    sequence     UInt64,
    hash         String
)
ENGINE = ReplacingMergeTree(sequence)
ORDER BY (topic, partitionkey);

CREATE MATERIALIZED VIEW IF NOT EXISTS chain_heads_of_events TO chain_heads AS
SELECT topic, partitionkey, max(events.sequence) AS sequence, argMax(events.hash, events.sequence) AS hash
FROM events
GROUP BY topic, partitionkey;
