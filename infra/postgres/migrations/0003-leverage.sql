-- How many times its index an ETF or ETN moves, without the sign; NULL where nobody has said. Its daily limits are as many
-- times wider.
ALTER TABLE trading.instruments
  ADD COLUMN leverage numeric(12, 8) CHECK (leverage > 0);
