# A hot standby recommends, folds in and predicts; it refuses to train; after promotion it trains.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings (user_id int, item_id int, rating real, PRIMARY KEY (user_id, item_id));
    INSERT INTO ratings
        SELECT u, i, 1 + (u * i + u + i) % 5 FROM generate_series(1, 20) u, generate_series(1, 30) i WHERE (u + i) % 3 > 0;
    SELECT mf_train('ratings', factors => 4);
    INSERT INTO ratings VALUES (3, 3, 5), (100, 1, 5), (100, 2, 1);
});
$primary->wait_for_catchup($standby);

my $lists = q{
    SELECT u, item_id, score, predicted_rating, basis FROM unnest(ARRAY[1, 3, 100, 200]) u, mf_recommend(u, 3);
    SELECT mf_predict(1, 1), mf_predict(100, 7), count(*) FROM mf_predictions(1);
    SELECT * FROM mf_recommend_for(ARRAY[1, 2], n => 3);
    SELECT * FROM mf_recommend_all(2) ORDER BY user_id, score DESC, item_id;
    SELECT * FROM mf_explain(3, 1, 5); SELECT * FROM mf_similar_items(1, 2); SELECT * FROM mf_similar_users(1, 2)};
my $there = $standby->safe_psql('postgres', $lists);
is($there, $primary->safe_psql('postgres', $lists), 'the same answers on the standby');
like($there, qr/trained.*fold-in.*fold-in.*popular/s, 'with every basis');

my ($status, $out, $err) = $standby->psql('postgres', q{SELECT mf_train('ratings', factors => 4)});
like($err, qr/cannot execute mf_train\(\) in a read-only transaction/, 'no training on a standby');
is($standby->safe_psql('postgres', 'SELECT model, version, hits > 1 FROM mf_cache'), 'ratings|1|t', 'the items are shared there too');
($status, $out, $err) = $standby->psql('postgres', q{SELECT mf_drop_model('ratings')});
like($err, qr/cannot execute mf_drop_model\(\) in a read-only transaction/, 'no drop on a standby');

$primary->safe_psql('postgres', q{SELECT mf_train('ratings', factors => 4)});
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q{SELECT version, basis FROM mf_models, mf_recommend(3, 1) WHERE live}),
    '2|trained', 'a new version reaches a standby that served the old one');

$standby->promote;
is($standby->safe_psql('postgres', q{SELECT version FROM mf_train('ratings', factors => 4)}), '3', 'after promotion it trains');

$primary->stop;
$standby->stop;
done_testing();
