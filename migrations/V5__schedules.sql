-- oldest-binary: 1
--
-- Sagas started by the clock. An older binary starts none of them.

CREATE TABLE schedule (
  namespace     text NOT NULL,
  name          text NOT NULL,
  definition    text NOT NULL,
  input         text NOT NULL,
  cron          text,
  time_zone     text NOT NULL,
  interval_ms   bigint CHECK (interval_ms > 0),
  offset_ms     bigint NOT NULL,
  overlap       text NOT NULL CHECK (overlap IN ('allow', 'skip', 'wait')),
  catch_up_ms   bigint NOT NULL CHECK (catch_up_ms > 0),
  paused        boolean NOT NULL DEFAULT false,
  next_at       timestamptz NOT NULL,
  waiting_at    timestamptz,
  last_saga_id  text,
  who           text NOT NULL CHECK (who <> ''),
  why           text NOT NULL CHECK (why <> ''),
  changed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  change_number bigint NOT NULL DEFAULT 1,
  lease_until   timestamptz,
  leased_by     bigint,
  PRIMARY KEY (namespace, name),
  CHECK ((cron IS NULL) <> (interval_ms IS NULL))
);
COMMENT ON TABLE schedule IS 'Sagas started by the clock: one row a schedule, in every database of the namespace.';
COMMENT ON COLUMN schedule.definition IS 'Which saga each tick starts, under the id name/tick (RFC 3339, UTC).';
COMMENT ON COLUMN schedule.input IS 'Of every saga it starts, JSON.';
COMMENT ON COLUMN schedule.cron IS 'Five fields or a name like @daily, in time_zone; NULL: an interval.';
COMMENT ON COLUMN schedule.interval_ms IS 'Ticks at 1970-01-01 + offset_ms + n * interval_ms; NULL: cron.';
COMMENT ON COLUMN schedule.overlap IS 'While the saga of last_saga_id is open a tick starts (allow), does not (skip), or waits, one of them (wait).';
COMMENT ON COLUMN schedule.catch_up_ms IS 'A tick that nobody looked at for longer is skipped.';
COMMENT ON COLUMN schedule.next_at IS 'The first tick not dealt with; moved on once the start of those before it is durable.';
COMMENT ON COLUMN schedule.waiting_at IS 'Of overlap wait: the tick that waits for the last saga to end.';
COMMENT ON COLUMN schedule.last_saga_id IS 'Of the newest tick started from this database.';
COMMENT ON COLUMN schedule.change_number IS 'Counts changes by people, so that a process that looked before one writes nothing after it.';
COMMENT ON COLUMN schedule.lease_until IS 'The process leased_by deals with it until then, or until its incarnation is dead.';

CREATE TABLE schedule_audit (
  schedule_audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace         text NOT NULL,
  name              text NOT NULL,
  action            text NOT NULL,
  schedule          jsonb NOT NULL,
  who               text NOT NULL,
  why               text NOT NULL,
  changed_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE schedule_audit IS 'Who changed which schedule, how (put, pause, resume, delete) and why; never deleted by Skald.';
COMMENT ON COLUMN schedule_audit.schedule IS 'The row as it stood after the change, or before it was deleted.';
