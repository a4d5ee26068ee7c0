BEGIN;
SELECT FROM mf_train('clicks', user_column => 'who', item_column => 'item', rating_column => 'times', feedback => 'implicit', factors => 4, iterations => 1);
SELECT count(*) FROM mf_recommend('user 7', 10, 'clicks');
ROLLBACK;
