# Logical replication of the tables of models and of their sources: another database serves the same lists, gets each
# version as a whole, and waits if a source is missing.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->append_conf('postgresql.conf', 'wal_retrieve_retry_interval = 200ms');
$subscriber->start;

# The other database has the same names and other OIDs.
my $tables = q{
    CREATE SCHEMA "Shop";
    CREATE VIEW movies AS SELECT i AS item_id, 'War' AS genre FROM generate_series(1, 10) i;
    CREATE VIEW people AS SELECT u AS user_id, 'town ' || u % 3 AS town FROM generate_series(1, 250) u WHERE u <> 200;
    GRANT SELECT ON movies, people TO keeper;
    CREATE TABLE "Shop"."the ratings" (user_id int, item_id int, rating real, PRIMARY KEY (user_id, item_id))};
$publisher->safe_psql('postgres', "CREATE ROLE keeper; CREATE EXTENSION mf_ext; $tables; CREATE PUBLICATION lists FOR TABLE
    mf_model_data, mf_user_factor_data, mf_item_factor_data, mf_item_feature_data, mf_user_feature_data, mf_grant_data, \"Shop\".\"the ratings\"");
$publisher->safe_psql('postgres', q{
    GRANT ALL ON SCHEMA "Shop" TO keeper;
    ALTER TABLE "Shop"."the ratings" OWNER TO keeper;
    SET ROLE keeper;
    INSERT INTO "Shop"."the ratings"
        SELECT u, i, 1 + (u * i + u + i) % 5 FROM generate_series(1, 20) u, generate_series(1, 30) i WHERE (u + i) % 3 > 0;
    SELECT mf_train('"Shop"."the ratings"', 'first', factors => 4, options => '{"item_features": "movies", "user_features": "people"}');
    SELECT mf_grant('first', 'public');
    INSERT INTO "Shop"."the ratings" VALUES (3, 3, 5), (100, 1, 5), (100, 2, 1);
});
$subscriber->safe_psql('postgres', "CREATE TABLE moves_the_oids (); CREATE ROLE other; CREATE ROLE keeper; CREATE EXTENSION mf_ext; $tables");
$subscriber->safe_psql('postgres', 'GRANT ALL ON SCHEMA "Shop" TO keeper; ALTER TABLE "Shop"."the ratings" OWNER TO keeper');
$subscriber->safe_psql('postgres', sprintf(
    "CREATE SUBSCRIPTION lists CONNECTION '%s' PUBLICATION lists", $publisher->connstr('postgres') =~ s/'/''/gr));
$subscriber->wait_for_subscription_sync($publisher, 'lists');

my $lists = q{
    SELECT u, l.* FROM unnest(ARRAY[1, 3, 100, 200, 201]) u, mf_recommend(u, 3, 'first') l;
    SELECT * FROM mf_recommend_all(2, 'first') ORDER BY user_id, score DESC, item_id;
    SELECT mf_predict(1, 1, 'first'), mf_predict(100, 7, 'first');
    SELECT * FROM mf_explain(3, 1, 5, 'first');
    SELECT * FROM mf_similar_users(1, 2, 'first');
    SELECT * FROM mf_item_feature_factors ORDER BY model_id, feature;
    SELECT * FROM mf_user_feature_factors ORDER BY model_id, feature;
    SELECT model, version, live, owner, source, item_features, user_features FROM mf_models ORDER BY model, version;
    SELECT * FROM mf_grants};
sub compare {
    my ($what) = @_;
    $publisher->wait_for_catchup('lists');
    my $there = $subscriber->safe_psql('postgres', $lists);
    is($there, $publisher->safe_psql('postgres', $lists), $what);
    return $there;
}
like(compare('the same lists'), qr/trained.*fold-in.*fold-in.*popular.*features.*1\|t\|keeper\|"Shop"."the ratings"\|movies\|people/s,
    'with every basis, owner and source');
is($subscriber->safe_psql('postgres', q{SELECT count(*) FROM mf_explain_item(3, model => 'first')}), '2', 'and features');
is($subscriber->safe_psql('postgres', q{CREATE ROLE guest; SET ROLE guest; SELECT count(*) FROM mf_recommend(1, 3, 'first')}), '3', 'and grants');

$publisher->safe_psql('postgres', q{SET ROLE keeper; SELECT mf_retrain('first')});
like(compare('a new version'), qr/first\|2\|t/, 'is the live one there');
$publisher->safe_psql('postgres', q{SET ROLE keeper; INSERT INTO "Shop"."the ratings" SELECT u, 99, 5 FROM generate_series(1, 15) u WHERE u % 3 > 0;
    SELECT mf_refresh_items('first')});
like(compare('refreshed items'), qr/\|99\|/, 'are in the lists there');
is($subscriber->safe_psql('postgres', 'SELECT refreshed_items FROM mf_models WHERE live'), '1', 'and counted');

$publisher->safe_psql('postgres', q{INSERT INTO "Shop"."the ratings" VALUES (100, 30, 5)});
compare('a new rating counts');
$publisher->safe_psql('postgres', q{SELECT mf_set_live('first', 1)});
like(compare('an old version promoted'), qr/first\|1\|t/, 'is the live one there');

# A missing source stops the replication, and nothing is lost.
my $offset = -s $subscriber->logfile;
$publisher->safe_psql('postgres', q{
    CREATE TABLE plays AS SELECT user_id, item_id FROM "Shop"."the ratings";
    CREATE INDEX ON plays (user_id);
    SELECT mf_train('plays', rating_column => NULL, feedback => 'implicit', factors => 4)});
$subscriber->wait_for_log(qr/ERROR: .* relation "public.plays" does not exist/, $offset);
pass('a missing source is named in the log');
is($subscriber->safe_psql('postgres', q{SELECT count(*) FROM mf_recommend(1, 3, 'first')}), '3', 'lists are served meanwhile');
$subscriber->safe_psql('postgres', 'CREATE TABLE plays (user_id int, item_id int)');
$publisher->wait_for_catchup('lists');
is($subscriber->safe_psql('postgres', q{SELECT source, live FROM mf_models WHERE model = 'plays'}), 'plays|t', 'once it is there, the model arrives');
compare('and all is well');

# The sequence is not replicated: models of the other database need numbers that the first database does not use.
my $training = q{SELECT mf_train('"Shop"."the ratings"', 'own', factors => 4)};
my ($status, $out, $err) = $subscriber->psql('postgres', $training);
like($err, qr/duplicate key value/, 'no training there with the numbers of the first database');
$subscriber->safe_psql('postgres', q{SELECT setval('mf_model_id_seq', 1000000000)});
$subscriber->safe_psql('postgres', $training);
is($subscriber->safe_psql('postgres', q{SELECT model_id FROM mf_models WHERE model = 'own'}), '1000000001', 'with others there is');
$subscriber->safe_psql('postgres', q{SELECT mf_drop_model('own')});

$publisher->safe_psql('postgres', q{SELECT mf_drop_model('first')});
$publisher->wait_for_catchup('lists');
is($subscriber->safe_psql('postgres', q{SELECT string_agg(model, ' ') FROM mf_models}), 'plays', 'a dropped model goes there too');

$subscriber->stop;
$publisher->stop;
done_testing();
