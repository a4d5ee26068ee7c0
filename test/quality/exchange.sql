-- Distributed training runs whose factors travel in 16 bits beside one whose factors travel in 32: all trained on
-- <name>_train, measured on <name>_test.
CREATE TABLE quality.exchanged (data text, exchange text, ndcg float8, rmse float8, PRIMARY KEY (data, exchange));

CREATE FUNCTION quality.measure_exchange(name text, exchange text, k integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    error float8;
BEGIN
    EXECUTE format('SELECT sqrt(avg((rating - mf_predict(user_id, item_id, %L)) ^ 2)) FROM %I', name || ' exchanged', name || '_test')
       INTO error;
    INSERT INTO quality.exchanged
        SELECT name, exchange, ndcg, error FROM mf_evaluate(name || ' exchanged', (name || '_test')::regclass, k) WHERE recommender = 'model';
END $$;

-- What is lost at most, as a share of the NDCG.
CREATE VIEW quality.exchange_report AS
    SELECT e.data, e.exchange, round(e.ndcg::numeric, 5) AS ndcg, round(s.ndcg::numeric, 5) AS "NDCG of single",
           round((100 * (e.ndcg / s.ndcg - 1))::numeric, 3) AS "% off", g.share * 100 AS "% allowed", round(e.rmse::numeric, 5) AS rmse,
           round(s.rmse::numeric, 5) AS "RMSE of single", CASE WHEN e.ndcg >= (1 - g.share) * s.ndcg THEN 'met' ELSE 'MISSED' END AS verdict
      FROM (VALUES ('auto', 0.001), ('half', 0.005)) AS g (exchange, share) JOIN quality.exchanged e USING (exchange)
      LEFT JOIN quality.exchanged s ON s.data = e.data AND s.exchange = 'single';
