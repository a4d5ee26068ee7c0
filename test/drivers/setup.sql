-- The tables of the documentation, and models with ids of other types made of them.
\ir ../docs/setup.sql
CREATE TABLE ratings_items AS SELECT item_id, title FROM items;
CREATE FUNCTION ids(name text, user_id text, item_id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I AS SELECT %s AS user_id, %s AS item_id, rating FROM ratings', name, user_id, item_id);
    EXECUTE format('CREATE INDEX ON %I (user_id) INCLUDE (item_id, rating)', name);
    EXECUTE format('CREATE TABLE %I AS SELECT %s AS item_id, title FROM items', name || '_items', item_id);
END $$;
SELECT ids('integers', 'user_id::integer', 'item_id::integer');
-- Numbers of JavaScript, which are doubles, cannot hold these item ids.
SELECT ids('mixed', 'md5(user_id::text)::uuid', '9007199254740992 + item_id');
SELECT ids('uuids', 'md5(user_id::text)::uuid', 'md5(item_id::text)::uuid');
SELECT ids('texts', '''user-'' || user_id', '''sku-'' || item_id');
ANALYZE;
SELECT model FROM unnest(ARRAY['integers', 'ratings', 'mixed', 'uuids', 'texts']) source,
       mf_train(source::regclass, factors => 8, options => '{"search": false}');
SELECT count(*) FROM mf_models, mf_create_functions(model);
-- For calls that name no model.
ALTER DATABASE drivers SET mf_ext.default_model = 'ratings';
