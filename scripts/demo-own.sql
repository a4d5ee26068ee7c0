-- Makes ratings from the table csv of text columns; ids become integers if all of them are integers.
SELECT CASE WHEN bool_and(user_id ~ '^-?\d{1,18}$' AND item_id ~ '^-?\d{1,18}$') THEN 'bigint' ELSE 'text' END AS id_type
FROM csv \gset
CREATE TABLE ratings AS
    SELECT user_id:::id_type AS user_id, item_id:::id_type AS item_id, rating::real AS rating FROM csv;
CREATE TABLE items AS
    SELECT DISTINCT item_id, 'item ' || item_id AS title FROM ratings;
DROP TABLE csv;
