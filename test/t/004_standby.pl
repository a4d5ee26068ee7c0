# A hot standby answers every call that reads as its primary does, from a shared cache of its own; it refuses every call
# that writes; a publication on the primary reaches sessions that serve; after promotion it trains.
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
    CREATE ROLE web;
    CREATE TABLE ratings (user_id int, item_id int, rating real, PRIMARY KEY (user_id, item_id));
    INSERT INTO ratings
        SELECT u, i, 1 + (u * i + u + i) % 5 FROM generate_series(1, 20) u, generate_series(1, 30) i WHERE (u + i) % 3 > 0;
    CREATE VIEW train AS SELECT * FROM ratings WHERE mf_fold(user_id, item_id, 5) > 0;
    CREATE VIEW test AS SELECT * FROM ratings WHERE mf_fold(user_id, item_id, 5) = 0;
    CREATE VIEW texts AS SELECT 'u' || user_id AS user_id, 'i' || item_id AS item_id FROM ratings;
    CREATE VIEW halves AS SELECT * FROM ratings;
    CREATE VIEW movies AS SELECT i AS item_id, 'War' AS genre FROM generate_series(1, 10) i;
    CREATE VIEW people AS SELECT u AS user_id, 'town ' || u % 3 AS town FROM generate_series(1, 300) u;
    SELECT mf_train('ratings', factors => 4, options => '{"item_features": "movies", "user_features": "people"}'), mf_train('train', factors => 4),
           mf_train('texts', rating_column => NULL, feedback => 'implicit', factors => 4),
           mf_train('halves', factors => 4, options => '{"storage": "half"}');
    SELECT mf_grant('ratings', 'web');
    INSERT INTO ratings VALUES (3, 3, 5), (100, 1, 5), (100, 2, 1);
});
$primary->wait_for_catchup($standby);

# Everything that reads: each function and view at least once.
my @reads = (
    q{SELECT u, l.* FROM unnest(ARRAY[1, 3, 100, 200, 400]) u, mf_recommend(u, 3, 'ratings') l},
    q{SELECT * FROM mf_recommend('u7'::text, 3, 'texts', candidates => ARRAY['i1', 'i2', 'i7'])},
    q{SELECT u, l.* FROM unnest(ARRAY[1, 3, 100]) u, mf_recommend(u, 3, 'halves') l},
    q{SELECT * FROM mf_recommend_for(ARRAY[1, 2], n => 3, model => 'ratings')},
    q{SELECT * FROM mf_recommend_all(2, 'ratings') ORDER BY user_id, score DESC, item_id},
    q{SELECT * FROM mf_recommend_all_text(2, 'texts') ORDER BY user_id, score DESC, item_id},
    q{SELECT mf_predict(1, 1, 'ratings'), mf_predict(100, 7, 'ratings')},
    q{SELECT * FROM mf_predictions(1, model => 'ratings')},
    q{SELECT * FROM mf_explain(3, 1, 5, 'ratings')},
    q{SELECT * FROM mf_explain_item(3, 5, 'ratings')},
    q{SELECT * FROM mf_similar_items(1, 2, 'ratings')},
    q{SELECT * FROM mf_similar_users(1, 2, 'ratings')},
    q{SELECT * FROM mf_evaluate('train', 'test', 5)},
    q{SELECT mf_report('ratings')},
    q{SELECT mf_fold(1, 2, 5), mf_split_hash('a', 'b', 1), mf_ndcg_at(ARRAY[1, 2], ARRAY[2], 2), mf_reciprocal_rank(ARRAY[1, 2], ARRAY[2])},
    q{SELECT users, items, ratings, memory FROM mf_estimate('ratings')},
    q{SELECT fold, rmse, ndcg FROM mf_cross_validate('ratings', 2, factors => 4)},
    q{SELECT trial, parameters, rmse FROM mf_tune('ratings', '{"regularization": [0.5, 1]}', factors => 4)},
    q{SELECT count(*) FROM mf_jobs},
    q{SELECT * FROM mf_models ORDER BY model_id},
    q{SELECT * FROM mf_grants},
    q{SELECT * FROM mf_user_factors ORDER BY model_id, user_id},
    q{SELECT * FROM mf_item_factors ORDER BY model_id, item_id},
    q{SELECT * FROM mf_item_feature_factors ORDER BY model_id, feature},
    q{SELECT count(*) FROM mf_progress});
for my $read (@reads) {
    my $there = $standby->safe_psql('postgres', $read);
    isnt($there, '', "the standby answers $read");
    is($there, $primary->safe_psql('postgres', $read), 'as the primary does');
}
is($standby->safe_psql('postgres', q{SELECT string_agg(DISTINCT basis, ' ' ORDER BY basis) FROM unnest(ARRAY[1, 3, 100, 200, 400]) u, mf_recommend(u, 3, 'ratings')}),
    'features fold-in popular trained', 'with every basis');
is($standby->safe_psql('postgres', q{SELECT model, version, hits > 1 FROM mf_cache ORDER BY model}),
    "halves|1|t\nratings|1|t\ntexts|1|t\ntrain|1|f", 'the items are shared there too');

# Everything that writes.
my %writes = (
    mf_train => q{mf_train('ratings', factors => 4)},
    mf_retrain => q{mf_retrain('ratings')},
    mf_refresh_items => q{mf_refresh_items('ratings')},
    mf_refresh_items_async => q{mf_refresh_items_async('ratings')},
    mf_train_async => q{mf_train_async('ratings')},
    mf_retrain_async => q{mf_retrain_async('ratings')},
    mf_cancel_job => q{mf_cancel_job(1)},
    mf_drop_model => q{mf_drop_model('ratings')},
    mf_set_live => q{mf_set_live('ratings', 1)},
    mf_rename_model => q{mf_rename_model('ratings', 'other')},
    mf_set_owner => q{mf_set_owner('ratings', 'web')},
    mf_grant => q{mf_grant('train', 'web')},
    mf_revoke => q{mf_revoke('ratings', 'web')},
    mf_forget_user => q{mf_forget_user(1, 'ratings')},
    mf_split => q{mf_split('ratings', 'a', 'b')});
for my $name (sort keys %writes) {
    my ($status, $out, $err) = $standby->psql('postgres', "SELECT $writes{$name}");
    like($err, qr/ERROR:  cannot execute .* (in a read-only transaction|during recovery)/, "$name is refused");
}

# A session of the standby that has the old version in memory continues with the new one.
my ($in, $out, $err) = ('', '', '');
my $session = IPC::Run::start(
    [ $standby->installed_command('psql'), '-XAtq', '-d', $standby->connstr('postgres') ],
    '<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout(60));
my $list = q{SELECT string_agg(item_id || ':' || score, ' ') || ' ' || min(basis) FROM mf_recommend(3, 5, 'ratings')};
sub ask {
    $out = '';
    $in .= "$list;\n";
    $session->pump until $out =~ /\n/;
    chomp $out;
    return $out;
}
my $old = ask();
like($old, qr/fold-in/, 'the old version in a session of the standby');
is(ask(), $old, 'and once more, from its cache');
$primary->safe_psql('postgres', q{SELECT mf_train('ratings', factors => 5)});
$primary->wait_for_catchup($standby);
my $new = ask();
like($new, qr/trained/, 'a new version is seen by the session');
is($new, $primary->safe_psql('postgres', $list), 'with its list');
$primary->safe_psql('postgres', q{INSERT INTO ratings SELECT u, 99, 5 FROM generate_series(4, 14) u; SELECT mf_refresh_items('ratings')});
$primary->wait_for_catchup($standby);
my $refreshed = ask();
like($refreshed, qr/\b99:/, 'a refreshed item is seen by the session');
is($refreshed, $primary->safe_psql('postgres', $list), 'with its score');
$in .= "\\q\n";
$session->finish;

$standby->promote;
is($standby->safe_psql('postgres', q{SELECT version FROM mf_train('ratings', factors => 4)}), '3', 'after promotion it trains');
is($standby->safe_psql('postgres', q{SELECT version, live FROM mf_models WHERE model = 'ratings' ORDER BY version}), "2|f\n3|t",
    'beside the version of before');

$primary->stop;
$standby->stop;
done_testing();
