-- oldest-binary: 1
--
-- Which of the 1,024 slots of saga ids this database has, where several databases divide a namespace among
-- themselves (docs/databases.md), and what became of slots that moved.

CREATE TABLE slot_ownership (
  namespace  text NOT NULL PRIMARY KEY,
  slots      text NOT NULL,
  leaving    text,
  leaving_to text,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE slot_ownership IS 'A process whose configuration says otherwise does not work on this database. Changed by `slots move` only.';
COMMENT ON COLUMN slot_ownership.slots IS 'Like 0-511,600. A saga''s slot is (saga.route >> 16) & 1023.';
COMMENT ON COLUMN slot_ownership.leaving IS 'Slots on their way to another database: their sagas are still here, and nobody works on them until `slots move` has been run to its end.';
COMMENT ON COLUMN slot_ownership.leaving_to IS 'The name of that database in the configuration.';

CREATE TABLE slot_audit (
  audit_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  who       text NOT NULL CHECK (who <> ''),
  why       text NOT NULL CHECK (why <> ''),
  namespace text NOT NULL,
  slots     text NOT NULL,
  direction text NOT NULL CHECK (direction IN ('in', 'out')),
  other     text NOT NULL,
  sagas     bigint NOT NULL
);
COMMENT ON TABLE slot_audit IS 'Slots that came or went: who, why, from or to which other database, and with how many sagas.';

-- A database that has sagas already has all slots of their namespaces.
INSERT INTO slot_ownership (namespace, slots) SELECT DISTINCT namespace, '0-1023' FROM definition;
