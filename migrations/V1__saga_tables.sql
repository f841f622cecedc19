-- oldest-binary: 1
--
-- The tables of Skald, in one schema; docs/tables.md explains them to whoever reads them with SQL.
-- Run by `migrate` with the schema in search_path. Never edited once released.

CREATE TABLE definition (
  definition_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace     text NOT NULL CHECK (octet_length(namespace) BETWEEN 1 AND 255),
  name          text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 255),
  UNIQUE (namespace, name)
);
COMMENT ON TABLE definition IS 'A saga definition of a namespace. Rows are added when a saga of it is first started, never changed.';

CREATE TABLE saga (
  saga_key      bigint NOT NULL PRIMARY KEY,
  definition_id int NOT NULL,
  saga_id       text NOT NULL CHECK (octet_length(saga_id) BETWEEN 1 AND 255),
  revision      int NOT NULL,
  route         int NOT NULL,
  sequence      bigint NOT NULL,
  status        smallint NOT NULL,
  wake_at       timestamptz,
  lease_until   timestamptz,
  leased_by     bigint,
  input_hash    bigint NOT NULL,
  started_at    timestamptz NOT NULL,
  ended_at      timestamptz,
  stuck_reason  text,
  UNIQUE (definition_id, saga_id)
) WITH (
  -- Half of each page is room for new versions of its rows. A batch rewrites whole pages at once, so with less room
  -- they move: measured, 50 makes every update but a saga's end touch no index and the table half as large as 80 does.
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0.05,
  autovacuum_vacuum_cost_delay = 1
);
COMMENT ON TABLE saga IS 'A saga instance. Every transition updates this row under the condition that `sequence` is the one it was judged at: who changes a row by hand must raise `sequence` and add the history row.';
COMMENT ON COLUMN saga.saga_key IS 'Time-ordered number made by the process that started the saga.';
COMMENT ON COLUMN saga.saga_id IS 'What the caller calls it.';
COMMENT ON COLUMN saga.revision IS 'Revision of the definition the saga runs on.';
COMMENT ON COLUMN saga.route IS 'Hash of saga_id; modulo the partition count it tells the reply partition, whose owner goes first when the saga is due.';
COMMENT ON COLUMN saga.sequence IS 'Of the last transition; history has 1 to this without a gap.';
COMMENT ON COLUMN saga.status IS '0 running, 1 rolling back, 2 stuck; ended: 10 completed, 11 compensated, 12 cancelled, 13 terminated.';
COMMENT ON COLUMN saga.wake_at IS 'Lower bound of the next deadline. Year 9999: nothing is due. NULL: ended. So `wake_at IS NOT NULL` is what is open.';
COMMENT ON COLUMN saga.lease_until IS 'A process is working on the deadline until then. In no index, so that taking it is cheap.';
COMMENT ON COLUMN saga.leased_by IS 'The incarnation of that process; once it is dead its lease counts no more.';
COMMENT ON COLUMN saga.input_hash IS 'Hash of the input; a second start of the same id with another hash is a dead letter.';
COMMENT ON COLUMN saga.stuck_reason IS 'Machine-readable; NULL unless stuck.';

CREATE INDEX saga_wake ON saga (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX saga_stuck ON saga (definition_id, saga_key) WHERE stuck_reason IS NOT NULL;

CREATE TABLE history (
  saga_key bigint NOT NULL,
  sequence bigint NOT NULL,
  events   text NOT NULL,
  PRIMARY KEY (saga_key, sequence)
) WITH (autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1);
COMMENT ON TABLE history IS 'The transitions of every saga, append-only and gapless from 1: what happened, and all that a saga is resumed from.';
COMMENT ON COLUMN history.events IS 'The events of one transition, a line each, payloads byte for byte, a checksum at the end (orchestrator/engine/event.hpp). text, not jsonb: replay compares bytes.';

CREATE TABLE outbox (
  outbox_id         bigint NOT NULL PRIMARY KEY,
  namespace         text NOT NULL,
  incarnation       bigint NOT NULL,
  created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  unreadable_reason text,
  messages          bytea NOT NULL
) WITH (
  -- A queue: rows live for milliseconds, dead ones must go soon.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
COMMENT ON TABLE outbox IS 'Messages on their way to Kafka: one row for all messages of a batch, written with the transitions that caused them, deleted when Kafka has acknowledged. An old row means that publishing stands still.';
COMMENT ON COLUMN outbox.incarnation IS 'Who publishes it. Others take it over once this incarnation has expired.';
COMMENT ON COLUMN outbox.unreadable_reason IS 'Set on a row whose bytes are damaged: nobody publishes it, an operator must look.';
COMMENT ON COLUMN outbox.messages IS 'Format: orchestrator/wire/outbox_format.hpp.';

CREATE TABLE incarnation (
  incarnation bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace   text NOT NULL,
  host        text NOT NULL,
  build       text NOT NULL,
  started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at  timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE incarnation IS 'One life of one process. Its heartbeat moves expires_at; past that it is dead and never comes back.';

CREATE TABLE position (
  namespace      text NOT NULL,
  cluster_id     text NOT NULL,
  topic          text NOT NULL,
  partition      int NOT NULL,
  next_offset    bigint NOT NULL,
  last_offset    bigint NOT NULL,
  last_timestamp timestamptz NOT NULL,
  last_checksum  bigint NOT NULL,
  updated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (namespace, cluster_id, topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE position IS 'How far a Kafka partition has been applied: reading starts here, not at the offset Kafka knows. Change it with `positions accept`.';
COMMENT ON COLUMN position.last_checksum IS 'CRC-32C over key and value of the record at last_offset; with last_timestamp it tells whether this is still the same log.';

CREATE TABLE position_audit (
  audit_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  who         text NOT NULL CHECK (who <> ''),
  why         text NOT NULL CHECK (why <> ''),
  namespace   text NOT NULL,
  cluster_id  text NOT NULL,
  topic       text NOT NULL,
  partition   int NOT NULL,
  old_offset  bigint,
  new_offset  bigint NOT NULL
);
COMMENT ON TABLE position_audit IS 'Positions that an operator set: who, why, from where to where.';

CREATE TABLE parked_input (
  parked_id   bigint NOT NULL PRIMARY KEY,
  namespace   text NOT NULL,
  definition  text NOT NULL,
  saga_id     text NOT NULL,
  revision    int NOT NULL,
  reason      smallint NOT NULL,
  parked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  lease_until timestamptz,
  input       bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX parked_input_saga ON parked_input (namespace, definition, saga_id, parked_id);
COMMENT ON TABLE parked_input IS 'Inputs that wait, as received, for a process that can apply them, in the order of parked_id for each saga.';
COMMENT ON COLUMN parked_input.reason IS '0 no process with its code, 1 its saga does not exist yet, 2 from API or operator, 3 history written by another build.';
COMMENT ON COLUMN parked_input.revision IS 'Of the saga; 0: not known.';

CREATE TABLE lease (
  namespace   text NOT NULL,
  name        text NOT NULL,
  incarnation bigint NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (namespace, name)
) WITH (fillfactor = 50);
COMMENT ON TABLE lease IS 'Chores that one process does for all, such as counting open sagas.';

-- LZ4 costs a tenth of the processor time of the default; a server built without it keeps the default.
DO $$
BEGIN
  ALTER TABLE outbox ALTER COLUMN messages SET COMPRESSION lz4;
  ALTER TABLE history ALTER COLUMN events SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END
$$;
