-- oldest-binary: 1
--
-- Definitions and step types that an operator has paused. An older binary does not heed them.

CREATE TABLE pause (
  pause_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace   text NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('definition', 'step')),
  name        text NOT NULL,
  paused_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  paused_by   text NOT NULL CHECK (paused_by <> ''),
  paused_why  text NOT NULL CHECK (paused_why <> ''),
  resumed_at  timestamptz,
  resumed_by  text CHECK (resumed_by <> ''),
  resumed_why text CHECK (resumed_why <> '')
);
CREATE UNIQUE INDEX pause_in_force ON pause (namespace, kind, name) WHERE resumed_at IS NULL;
COMMENT ON TABLE pause IS 'What was paused, by whom, why, and until when. Without resumed_at it is in force.';
COMMENT ON COLUMN parked_input.reason IS '0 no process with its code, 1 its saga does not exist yet, 2 from API or operator, 3 history written by another build, 4 its definition is paused, 5 a start of a paused definition.';
