-- The trading record: the only store whose loss hurts.
--
-- Money and prices are numeric with four places, as in shared/domain/values.ts; quantities are bigint.
-- Closed lists are text with a CHECK, so that adding a member is one small migration.

CREATE SCHEMA trading;
CREATE SCHEMA analytics;
CREATE SCHEMA audit;

-- The row lock of an account serializes everything that moves its money. Lock order everywhere: account, then order.
CREATE TABLE trading.accounts (
  account_id     text PRIMARY KEY,
  broker         text NOT NULL,
  currency       text NOT NULL,
  -- Goes up by one whenever the snapshot that risk decides on changes.
  version        bigint NOT NULL DEFAULT 0,
  trading_state  text NOT NULL DEFAULT 'halted' CHECK (trading_state IN ('active', 'reducing', 'halted')),
  cash           numeric(28, 4) NOT NULL DEFAULT 0,
  opening_equity numeric(28, 4),
  opening_date   date,
  -- The fence: a sender with another number may not send.
  epoch          integer NOT NULL DEFAULT 0,
  -- True once a fill was booked or an opening was adopted; from then on nothing can be adopted.
  is_booked      boolean NOT NULL DEFAULT false,
  opened_time    timestamptz NOT NULL DEFAULT now(),
  CHECK ((opening_equity IS NULL) = (opening_date IS NULL))
);

-- An open order IS its reservation: exposure and cash are held by this row and by nothing else, so that there is no
-- second record that could be forgotten when the order closes. A closed order holds nothing (see the last CHECK).
CREATE TABLE trading.orders (
  client_order_id   text PRIMARY KEY,
  sequence          bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  -- No foreign key: a request for an account that does not exist is denied, and the denial is on record.
  account_id        text NOT NULL,
  requested_by      text NOT NULL,
  instrument_id     text NOT NULL,
  side              text NOT NULL CHECK (side IN ('buy', 'sell')),
  order_type        text NOT NULL CHECK (order_type IN ('limit', 'market')),
  time_in_force     text NOT NULL CHECK (time_in_force IN ('day', 'ioc', 'fok')),
  quantity          bigint NOT NULL,
  limit_price       numeric(28, 4),
  decided_time      timestamptz NOT NULL,
  status            text NOT NULL CHECK (status IN (
    'denied', 'approved', 'submitting', 'outcomeUnknown', 'accepted', 'partiallyFilled', 'pendingAmend',
    'pendingCancel', 'rejected', 'filled', 'canceled', 'expired', 'parked')),
  revision          integer NOT NULL DEFAULT 1,
  limits_version    text NOT NULL DEFAULT '',
  attempt           integer NOT NULL DEFAULT 0,
  broker_order_id   text,
  broker_route      text,
  filled_quantity   bigint NOT NULL DEFAULT 0 CHECK (filled_quantity >= 0),
  filled_notional   numeric(28, 4) NOT NULL DEFAULT 0,
  noticed_quantity  bigint NOT NULL DEFAULT 0,
  listed_quantity   bigint NOT NULL DEFAULT 0,
  reserved_price    numeric(28, 4) NOT NULL DEFAULT 0,
  reserved_cash     numeric(28, 4) NOT NULL DEFAULT 0 CHECK (reserved_cash >= 0),
  fee               numeric(28, 4) NOT NULL DEFAULT 0,
  tax               numeric(28, 4) NOT NULL DEFAULT 0,
  submitted_time    timestamptz,
  correlation_id    text NOT NULL,
  denial_code       text,
  denial_detail     text,
  recorded_time     timestamptz NOT NULL DEFAULT now(),
  is_open           boolean NOT NULL GENERATED ALWAYS AS
    (status NOT IN ('denied', 'rejected', 'filled', 'canceled', 'expired')) STORED,
  -- A denied request is kept as it was asked for, however wrong; whatever passed the limits is well formed.
  CHECK (status = 'denied' OR (quantity > 0 AND (order_type = 'limit') = (limit_price IS NOT NULL))),
  CHECK (denial_code IS NULL OR status = 'denied'),
  CHECK (reserved_cash = 0 OR status NOT IN ('denied', 'rejected', 'filled', 'canceled', 'expired'))
);

CREATE INDEX orders_open ON trading.orders (account_id, sequence) WHERE is_open;
CREATE INDEX orders_of_account ON trading.orders (account_id, sequence);
CREATE INDEX orders_recent ON trading.orders (account_id, decided_time) WHERE status <> 'denied';

-- Never two unclear orders that one row of the broker's list could match equally. A check inside a statement could be
-- fooled by an order that became unclear after the statement's snapshot; this index cannot.
CREATE UNIQUE INDEX orders_unclear_shape
  ON trading.orders (account_id, instrument_id, side, order_type, quantity, coalesce(limit_price, 0))
  WHERE status IN ('submitting', 'outcomeUnknown');

-- Every number that a broker gave to an order: an amend or a cancel gets a new one. Brokers reuse numbers over the
-- days, so that the newest owner of a number is the one that counts.
CREATE TABLE trading.broker_orders (
  sequence        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id      text NOT NULL,
  broker_order_id text NOT NULL,
  broker_route    text,
  client_order_id text NOT NULL REFERENCES trading.orders,
  recorded_time   timestamptz NOT NULL DEFAULT now(),
  UNIQUE (account_id, broker_order_id, client_order_id)
);

-- One order at the broker never backs two open orders of ours. A broker's number holds for one day (in Korea).
CREATE UNIQUE INDEX orders_broker_order
  ON trading.orders (account_id, broker_order_id, ((submitted_time AT TIME ZONE 'Asia/Seoul')::date))
  WHERE broker_order_id IS NOT NULL AND status NOT IN ('denied', 'rejected', 'filled', 'canceled', 'expired');

CREATE TABLE trading.fills (
  sequence        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id      text NOT NULL REFERENCES trading.accounts,
  execution_id    text NOT NULL,
  client_order_id text NOT NULL REFERENCES trading.orders,
  instrument_id   text NOT NULL,
  side            text NOT NULL CHECK (side IN ('buy', 'sell')),
  quantity        bigint NOT NULL CHECK (quantity > 0),
  price           numeric(28, 4) NOT NULL,
  notional        numeric(28, 4) NOT NULL,
  fee             numeric(28, 4) NOT NULL,
  tax             numeric(28, 4) NOT NULL,
  origin          text NOT NULL CHECK (origin IN ('stream', 'list')),
  event_time      timestamptz NOT NULL,
  recorded_time   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fills_execution UNIQUE (account_id, execution_id)
);

CREATE INDEX fills_of_order ON trading.fills (client_order_id, sequence);
CREATE INDEX fills_of_account ON trading.fills (account_id, sequence);

CREATE TABLE trading.positions (
  account_id    text NOT NULL REFERENCES trading.accounts,
  instrument_id text NOT NULL,
  -- Signed: short is negative.
  quantity      bigint NOT NULL,
  open_notional numeric(28, 4) NOT NULL,
  realized_pnl  numeric(28, 4) NOT NULL,
  PRIMARY KEY (account_id, instrument_id)
);

-- Outbox and history in one table: an event is written in the transaction that made it true.
CREATE TABLE trading.events (
  sequence       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id             text NOT NULL UNIQUE,
  topic          text NOT NULL,
  type           text NOT NULL,
  subject        text NOT NULL,
  correlation_id text NOT NULL,
  causation_id   text NOT NULL,
  event          jsonb NOT NULL,
  recorded_time  timestamptz NOT NULL DEFAULT now(),
  -- Null until the bus is known to hold it.
  settled_time   timestamptz
);

CREATE INDEX events_unsettled ON trading.events (sequence) WHERE settled_time IS NULL;
CREATE INDEX events_of_subject ON trading.events (topic, subject, sequence);

-- What each consumer has handled and what it emitted then. Kept longer than any bus keeps its events.
CREATE TABLE trading.inbox (
  consumer      text NOT NULL,
  event_id      text NOT NULL,
  -- In order; the events themselves are in trading.events.
  output_ids    text[] NOT NULL,
  recorded_time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, event_id)
);

-- Reports that fit no order or no step. Never dropped: a person looks at each.
CREATE TABLE trading.quarantine (
  sequence      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id    text NOT NULL,
  consumer      text NOT NULL,
  reason        text NOT NULL,
  event         jsonb NOT NULL,
  recorded_time timestamptz NOT NULL DEFAULT now(),
  -- Null until somebody has looked.
  reviewed_time timestamptz,
  reviewed_by   text
);

CREATE INDEX quarantine_unreviewed ON trading.quarantine (sequence) WHERE reviewed_time IS NULL;

-- A version never changes once written.
CREATE TABLE trading.documents (
  kind          text NOT NULL,
  id            text NOT NULL,
  version       integer NOT NULL CHECK (version > 0),
  body          jsonb NOT NULL,
  changed_by    text NOT NULL,
  recorded_time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, id, version)
);

CREATE TABLE trading.instruments (
  instrument_id      text PRIMARY KEY,
  name               text NOT NULL,
  kind               text NOT NULL CHECK (kind IN ('stock', 'etp')),
  market             text NOT NULL CHECK (market IN ('KOSPI', 'KOSDAQ', 'KONEX')),
  currency           text NOT NULL,
  quantity_increment bigint NOT NULL CHECK (quantity_increment > 0),
  is_tradable        boolean NOT NULL,
  base_price         numeric(28, 4),
  base_price_date    date
);

CREATE TABLE trading.notifications (
  sequence      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id      text NOT NULL,
  recipient     text NOT NULL,
  channel       text NOT NULL CHECK (channel IN ('email', 'slack', 'webhook')),
  severity      text NOT NULL CHECK (severity IN ('info', 'warning', 'error', 'critical')),
  title         text NOT NULL,
  status        text NOT NULL CHECK (status IN ('delivered', 'failed', 'suppressed')),
  attempts      integer NOT NULL CHECK (attempts >= 0),
  reason        text,
  at            timestamptz NOT NULL,
  recorded_time timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX notifications_delivered ON trading.notifications (event_id, channel) WHERE status = 'delivered';

-- What people did, written in the transaction that did it.
CREATE TABLE audit.actions (
  sequence      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id    text NOT NULL,
  action        text NOT NULL,
  changed_by    text NOT NULL,
  reason        text NOT NULL,
  detail        jsonb NOT NULL,
  at            timestamptz NOT NULL,
  recorded_time timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX actions_of_account ON audit.actions (account_id, sequence);
