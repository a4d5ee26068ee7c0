-- Items that come after the training run: the newest twentieth is held out of it with all rows, and then taken up by
-- mf_refresh_items from some of their rows, or from all. Beside it a training run on the same rows with what the first
-- has found, as mf_retrain has it. Measured on all rows that neither has seen.
CREATE TABLE quality.refreshed (
    data text, interactions text, refreshed float8, trained float8, new_items bigint, seconds float8, training_seconds float8);

-- age: the place of an item in time, an expression of <name>'s columns.
CREATE FUNCTION quality.compare_refresh(name text, kind text, k integer, age text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    most integer;
    first record;
    refreshed record;
    trained record;
BEGIN
    EXECUTE format('CREATE TABLE quality.newest AS
                    SELECT item_id FROM (SELECT item_id, percent_rank() OVER (ORDER BY min(%s), item_id) AS place FROM %I GROUP BY item_id) AS items
                     WHERE place >= 0.95', age, name);
    FOREACH most IN ARRAY ARRAY[1, 3, 10, 1000000] LOOP
        -- The first rows of each new item among those to train on, and all of the others.
        EXECUTE format('CREATE TABLE quality.rows AS
                        SELECT t.*, n.item_id IS NOT NULL AS new,
                               CASE WHEN n.item_id IS NOT NULL THEN row_number() OVER (PARTITION BY t.item_id ORDER BY %s, t.user_id) END AS place
                          FROM %I AS t LEFT JOIN quality.newest AS n USING (item_id)', age, name || '_train');
        CREATE TABLE quality.shown AS SELECT user_id, item_id, rating FROM quality.rows WHERE NOT new;
        CREATE INDEX ON quality.shown (user_id) INCLUDE (item_id, rating);
        CREATE INDEX ON quality.shown (item_id);
        EXECUTE format('CREATE TABLE quality.unseen AS
                        SELECT user_id, item_id, rating FROM %I
                        UNION ALL SELECT user_id, item_id, rating FROM quality.rows WHERE new AND place > $1', name || '_test') USING most;
        ANALYZE quality.shown;
        SELECT * INTO first FROM mf_train('quality.shown', 'refreshed', feedback => kind);
        INSERT INTO quality.shown SELECT user_id, item_id, rating FROM quality.rows WHERE new AND place <= most;
        ANALYZE quality.shown;
        SELECT * INTO refreshed FROM mf_refresh_items('refreshed');
        SELECT * INTO trained FROM mf_train('quality.shown', 'trained anew', feedback => kind, options => coalesce(first.found, '{}') || '{"search": false}');
        INSERT INTO quality.refreshed
            SELECT name, CASE WHEN most < 1000000 THEN most::text ELSE 'all' END, r.ndcg, t.ndcg, refreshed.new_items, refreshed.seconds, trained.seconds
              FROM mf_evaluate('refreshed', 'quality.unseen', k) AS r, mf_evaluate('trained anew', 'quality.unseen', k) AS t
             WHERE r.recommender = 'model' AND t.recommender = 'model';
        PERFORM mf_drop_model('refreshed'), mf_drop_model('trained anew');
        DROP TABLE quality.rows, quality.shown, quality.unseen;
    END LOOP;
    DROP TABLE quality.newest;
END $$;

CREATE VIEW quality.refresh_report AS
    SELECT data, interactions, new_items, round(refreshed::numeric, 4) AS refreshed, round(trained::numeric, 4) AS "trained anew",
           round((100 * (refreshed / trained - 1))::numeric, 1) AS "%", round(seconds::numeric, 2) AS "s",
           round(training_seconds::numeric, 2) AS "s to train",
           CASE WHEN interactions <> 'all' THEN '' WHEN refreshed >= 0.97 * trained THEN 'met' ELSE 'MISSED' END AS "within 3%"
      FROM quality.refreshed ORDER BY data, trained;
