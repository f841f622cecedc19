-- Did the promises hold? Asked of the participants' own tables, in schemas inventory, payments and shipping, never of
-- Skald's. Expects the temporary table given(order_id, scenario, outcome): every order that Kafka acknowledged, with
-- the type of its outcome event or "lost". Answers a line for each check: name, how many orders offend, examples.

CREATE TEMP TABLE done AS
SELECT order_id, kind, idempotency_key, subject, cents, happened_at FROM inventory.effect
UNION ALL SELECT order_id, kind, idempotency_key, subject, cents, happened_at FROM payments.effect
UNION ALL SELECT order_id, kind, idempotency_key, subject, cents, happened_at FROM shipping.effect;

-- One row an order: how often each effect happened, and when it happened last.
CREATE TEMP TABLE story AS
SELECT g.order_id, g.scenario, g.outcome,
       count(*) FILTER (WHERE d.kind = 'reserve') AS reserved, count(*) FILTER (WHERE d.kind = 'release') AS released,
       count(*) FILTER (WHERE d.kind = 'charge') AS charged,   count(*) FILTER (WHERE d.kind = 'refund') AS refunded,
       count(*) FILTER (WHERE d.kind = 'ship') AS shipped,     count(*) FILTER (WHERE d.kind = 'recall') AS recalled,
       max(d.happened_at) FILTER (WHERE d.kind = 'reserve') AS reserved_at,
       max(d.happened_at) FILTER (WHERE d.kind = 'charge') AS charged_at,
       max(d.happened_at) FILTER (WHERE d.kind = 'ship') AS shipped_at,
       max(d.happened_at) FILTER (WHERE d.kind = 'recall') AS recalled_at,
       max(d.happened_at) FILTER (WHERE d.kind = 'refund') AS refunded_at,
       max(d.happened_at) FILTER (WHERE d.kind = 'release') AS released_at
FROM given g LEFT JOIN done d USING (order_id)
GROUP BY g.order_id, g.scenario, g.outcome;

CREATE TEMP TABLE offence (position int, name text, order_id text);

INSERT INTO offence
SELECT 1, 'an effect happened twice', order_id FROM story
WHERE greatest(reserved, released, charged, refunded, shipped, recalled) > 1;

INSERT INTO offence
SELECT 2, 'completed, but a step has no effect', order_id FROM story
WHERE outcome = 'saga.completed' AND least(reserved, charged, shipped) = 0;

INSERT INTO offence
SELECT 3, 'completed, but an effect was undone', order_id FROM story
WHERE outcome = 'saga.completed' AND greatest(released, refunded, recalled) > 0;

INSERT INTO offence
SELECT 4, 'compensated, but an effect stands', order_id FROM story
WHERE outcome = 'saga.compensated' AND (reserved > released OR charged > refunded OR shipped > recalled);

INSERT INTO offence
SELECT 5, 'undone, but never done', order_id FROM story
WHERE released > reserved OR refunded > charged OR recalled > shipped;

INSERT INTO offence
SELECT 6, 'undone in another order than the reverse', order_id FROM story
WHERE recalled_at > refunded_at OR recalled_at > released_at OR refunded_at > released_at;

INSERT INTO offence
SELECT 7, 'done in another order than the saga says', order_id FROM story
WHERE reserved_at > charged_at OR reserved_at > shipped_at OR charged_at > shipped_at;

INSERT INTO offence
SELECT 8, 'an effect without an order', d.order_id FROM done d
WHERE NOT EXISTS (SELECT FROM given g WHERE g.order_id = d.order_id);

INSERT INTO offence
SELECT 9, 'completed, but it had to fail', order_id FROM story
WHERE outcome = 'saga.completed' AND scenario NOT IN ('good', 'flaky-inventory');

INSERT INTO offence
SELECT 10, 'stock does not add up', s.sku FROM inventory.stock s
WHERE s.initial - s.available <> (SELECT count(*) FILTER (WHERE e.kind = 'reserve') - count(*) FILTER (WHERE e.kind = 'release')
                                  FROM inventory.effect e WHERE e.subject = s.sku);

INSERT INTO offence
SELECT 11, 'money does not add up', 'all accounts' FROM (SELECT sum(cents) AS cents FROM payments.money) m WHERE m.cents <> 0
UNION ALL
SELECT 11, 'money does not add up', 'the shop'
WHERE coalesce((SELECT cents FROM payments.money WHERE account = 'shop'), 0) <>
      (SELECT coalesce(sum(CASE kind WHEN 'charge' THEN cents ELSE -cents END), 0) FROM payments.effect);

INSERT INTO offence
SELECT 12, 'parcels do not add up', coalesce(p.order_id, s.order_id)
FROM (SELECT order_id, count(*) AS parcels, count(*) FILTER (WHERE state = 'shipped') AS under_way
      FROM shipping.parcel GROUP BY order_id) p
FULL JOIN (SELECT order_id, count(*) FILTER (WHERE kind = 'ship') AS shipped, count(*) FILTER (WHERE kind = 'recall') AS recalled
           FROM shipping.effect GROUP BY order_id) s USING (order_id)
WHERE coalesce(p.parcels, 0) <> coalesce(s.shipped, 0) OR coalesce(p.under_way, 0) <> coalesce(s.shipped - s.recalled, 0);

INSERT INTO offence SELECT 13, 'lost', order_id FROM given WHERE outcome = 'lost';

SELECT names.name, count(o.order_id), coalesce((array_agg(o.order_id ORDER BY o.order_id) FILTER (WHERE o.order_id IS NOT NULL))[1:5]::text, '')
FROM unnest(ARRAY['an effect happened twice', 'completed, but a step has no effect', 'completed, but an effect was undone',
                  'compensated, but an effect stands', 'undone, but never done',
                  'undone in another order than the reverse', 'done in another order than the saga says',
                  'an effect without an order', 'completed, but it had to fail', 'stock does not add up',
                  'money does not add up', 'parcels do not add up', 'lost'])
     WITH ORDINALITY AS names(name, position)
LEFT JOIN offence o USING (position)
GROUP BY names.position, names.name ORDER BY names.position;
