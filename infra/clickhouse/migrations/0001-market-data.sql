-- Ticks and bars. Times are UTC; prices and notionals are exact decimals; the currency is the instrument's.

-- One row a tick: the sorting key is the deduplication key, so the same tick stored twice becomes one row.
-- KIS times have whole seconds; session_volume puts the ticks of one second in the order in which they traded.
-- How long ticks are kept is set at run time (setTickRetention): ALTER TABLE ticks MODIFY TTL ….
CREATE TABLE IF NOT EXISTS ticks
(
    instrument_id  LowCardinality(String),
    event_time     DateTime64(3, 'UTC') CODEC (Delta, ZSTD),
    received_time  DateTime64(3, 'UTC') CODEC (Delta, ZSTD),
    price          Decimal(18, 4),
    quantity       UInt64,
    aggressor      LowCardinality(String),
    session_volume UInt64 CODEC (Delta, ZSTD),
    bid_price      Decimal(18, 4),
    ask_price      Decimal(18, 4),
    tick_id        String CODEC (ZSTD)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time)
ORDER BY (instrument_id, event_time, session_volume, tick_id);

-- One row for each instrument, interval and opening time; a bar collected again replaces the one before.
CREATE TABLE IF NOT EXISTS bars
(
    instrument_id LowCardinality(String),
    interval      LowCardinality(String),
    open_time     DateTime64(3, 'UTC'),
    close_time    DateTime64(3, 'UTC'),
    open          Decimal(18, 4),
    high          Decimal(18, 4),
    low           Decimal(18, 4),
    close         Decimal(18, 4),
    volume        UInt64,
    notional      Decimal(38, 4),
    trades        UInt32
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(open_time)
ORDER BY (instrument_id, interval, open_time);
