BEGIN;
SELECT FROM mf_retrain('clicks');
SELECT check_list(count(*), 10, 0) FROM mf_recommend('user 7', 10, 'clicks');
COMMIT;
