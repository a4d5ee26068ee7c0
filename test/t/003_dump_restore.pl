# Models are data: dumped and restored, plainly and in parallel, also by the owner of the database, they give the same
# lists from sources of any kind and name. Version numbering continues, and dropped sources and owners stay dropped.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
    CREATE ROLE keeper LOGIN;
    CREATE ROLE web;
    CREATE ROLE leaver;
    CREATE DATABASE first OWNER keeper;
});
# The names of schemas sort after, before and around that of the extension's tables; the view that groups by a primary
# key is complete only after the data are restored.
$node->safe_psql('first', q{
    CREATE SCHEMA zoo;
    CREATE EXTENSION mf_ext SCHEMA zoo;
    GRANT USAGE ON SCHEMA zoo TO PUBLIC;
    ALTER DATABASE first SET search_path = public, zoo;
    SET search_path = public, zoo;
    CREATE SCHEMA shop AUTHORIZATION keeper;
    CREATE SCHEMA "Zz ""x"" " AUTHORIZATION keeper;
    GRANT ALL ON SCHEMA shop TO leaver;
    SET ROLE keeper;
    CREATE TABLE shop.ratings (user_id int, item_id int, rating real, PRIMARY KEY (user_id, item_id));
    INSERT INTO shop.ratings
        SELECT u, i, 1 + (u * i + u + i) % 5 FROM generate_series(1, 20) u, generate_series(1, 30) i WHERE (u + i) % 3 > 0;
    GRANT SELECT ON shop.ratings TO PUBLIC;
    CREATE TABLE "Zz ""x"" "."it's Mine" AS SELECT user_id AS "User", 'i' || item_id AS "Item" FROM shop.ratings;
    CREATE INDEX ON "Zz ""x"" "."it's Mine" ("User");
    CREATE TABLE shop.users (user_id int PRIMARY KEY, name text);
    INSERT INTO shop.users SELECT u, 'user ' || u FROM generate_series(1, 20) u;
    CREATE VIEW shop.named AS
        SELECT u.name AS user_id, max(r.item_id) % 7 AS item_id FROM shop.users u JOIN shop.ratings r USING (user_id) GROUP BY u.user_id;
    CREATE MATERIALIZED VIEW shop.mostly AS SELECT * FROM shop.ratings WHERE rating > 1;
    CREATE INDEX ON shop.mostly (user_id);
    CREATE DOMAIN shop.person AS bigint;
    CREATE TABLE shop.parts (user_id shop.person, item_id int, rating real) PARTITION BY RANGE (user_id);
    CREATE TABLE shop.part PARTITION OF shop.parts DEFAULT;
    INSERT INTO shop.parts TABLE shop.ratings;
    CREATE INDEX ON shop.parts (user_id);
    CREATE TABLE shop.gone AS SELECT * FROM shop.ratings;
    CREATE INDEX ON shop.gone (user_id);
    SELECT mf_train('shop.ratings', factors => 4);
    CREATE TABLE shop.movies (item_id int PRIMARY KEY, genre text, year int);
    INSERT INTO shop.movies SELECT i, CASE WHEN i % 2 = 0 THEN 'War' END, 1980 + i FROM generate_series(1, 31) i;
    CREATE TABLE shop.people (user_id int PRIMARY KEY, town text);
    INSERT INTO shop.people SELECT u, 'town ' || u % 3 FROM generate_series(1, 30) u;
    SELECT mf_train('shop.ratings', factors => 5, options => '{"item_features": "shop.movies", "user_features": "shop.people"}');
    SELECT mf_grant('ratings', 'web'), mf_grant('ratings', 'leaver');
    SELECT mf_train('"Zz ""x"" "."it''s Mine"', user_column => 'User', item_column => 'Item', rating_column => NULL, feedback => 'implicit', factors => 4);
    SELECT mf_train('shop.named', rating_column => NULL, feedback => 'implicit', factors => 2);
    SELECT mf_train('shop.mostly', factors => 4);
    CREATE TABLE shop.fresh AS SELECT * FROM shop.ratings;
    CREATE INDEX ON shop.fresh (user_id);
    SELECT mf_train('shop.fresh', factors => 4);
    INSERT INTO shop.fresh SELECT u, 77, 5 FROM generate_series(1, 9) u;
    SELECT mf_refresh_items('fresh');
    SELECT mf_train('shop.parts', factors => 4, options => '{"storage": "half"}');
    SELECT mf_create_functions('parts', 'shop');
    CREATE VIEW shop.halves AS SELECT CASE WHEN item_id > 15 THEN 'the ''upper''' ELSE 'lower' END AS half, * FROM shop.ratings;
    SELECT mf_train_each('shop.halves', 'half', 'half', factors => 4);
    SELECT mf_train('shop.gone', factors => 4);
    DROP TABLE shop.gone;
    SET ROLE leaver;
    SELECT mf_train('shop.ratings', 'left', factors => 4);
    RESET ROLE;
    DROP OWNED BY leaver;
    DROP ROLE leaver;
});

my $lists = q{
    SELECT string_agg(item_id || ':' || score || ':' || predicted_rating || ':' || basis, ' ')
      FROM generate_series(1, 25) u, mf_recommend(u, 5, 'ratings');
    SELECT u, l.* FROM generate_series(1, 22) u, mf_recommend(u::text, 3, 'it''s Mine') l;
    SELECT l.* FROM mf_recommend_all_text(3, 'named') l ORDER BY user_id, item_id;
    SELECT l.* FROM mf_recommend_all(3, 'mostly') l ORDER BY user_id, item_id;
    SELECT l.* FROM mf_recommend_all(3, 'parts') l ORDER BY user_id, item_id;
    SELECT l.* FROM mf_recommend_all(5, 'fresh') l ORDER BY user_id, item_id;
    SELECT l.* FROM mf_recommend(3, 5, 'parts') l;
    SELECT u, l.* FROM generate_series(1, 21) u, mf_recommend(u, 15, 'half/the ''upper''') l;
    SELECT l.* FROM shop.parts_recommend(3, 5) l;
    SELECT string_agg(item_id || ':' || score, ' ') FROM mf_recommend(3, 5, 'gone', exclude_seen => false);
    SELECT model, version, live, users, items, parameters, metrics, trained_at, user_type, item_type, refreshed_at, refreshed_items, tenant_column, tenant FROM mf_models ORDER BY model, version;
    SELECT i, e.* FROM generate_series(1, 32) i, mf_explain_item(i, model => 'ratings') e;
    SELECT * FROM mf_item_feature_factors ORDER BY model_id, feature;
    SELECT * FROM mf_user_feature_factors ORDER BY model_id, feature;
    SELECT * FROM mf_trainings ORDER BY model, version;
    SELECT l.* FROM mf_recommend(25, 5, 'ratings') l;
    SELECT model, version, owner, source, item_features, user_features FROM mf_models WHERE model NOT IN ('gone', 'left') ORDER BY model, version;
    SELECT source FROM mf_model_data WHERE model = 'gone';
    SELECT owner FROM mf_model_data WHERE model = 'left';
    SELECT * FROM mf_grants};
my $before = $node->safe_psql('first', $lists);
like($before, qr/genre=War\|category.*it's Mine\|1\|keeper\|"Zz ""x"" "."it's Mine"\|\|\n.*ratings\|2\|keeper\|shop.ratings\|shop.movies\|shop.people\n-\n-\nratings\|web$/s, 'a source that is gone, and a role, have no name');

sub restored {
    my ($where, $database, $how) = @_;
    is($where->safe_psql($database, $lists), $before, "$how: the same lists and models");
    # A number could belong to another relation or role.
    is($where->safe_psql($database, q{SELECT source::oid FROM mf_models WHERE model = 'gone'}), '0', 'no other source');
    is($where->safe_psql($database, q{SELECT owner::oid FROM mf_models WHERE model = 'left'}), '0', 'no other owner');
}
my $dump = $node->backup_dir . '/dump';
mkdir $node->backup_dir;
my @psql = ('psql', '-Xq', '-v', 'ON_ERROR_STOP=1');

$node->command_ok([ 'pg_dump', '-C', '-d', $node->connstr('first'), '-f', "$dump.sql" ], 'dump');
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-d', $node->connstr('first'), '-f', "$dump.dir" ], 'dump in parallel');
$node->command_ok([ 'pg_dump', '-U', 'keeper', '-C', '-d', $node->connstr('first'), '-f', "$dump.keeper.sql" ],
    'dump by the owner of the database, no superuser');

for my $name ('sql', 'keeper.sql') {
    $node->safe_psql('postgres', 'ALTER DATABASE first RENAME TO original');
    $node->command_ok([ @psql, '-d', $node->connstr('postgres'), '-f', "$dump.$name" ], "restore of dump.$name");
    restored($node, 'first', "dump.$name");
    $node->safe_psql('postgres', 'DROP DATABASE first') if $name ne 'sql';
    $node->safe_psql('postgres', 'ALTER DATABASE first RENAME TO second') if $name eq 'sql';
    $node->safe_psql('postgres', 'ALTER DATABASE original RENAME TO first');
}
$node->safe_psql('postgres', 'CREATE DATABASE third; ALTER DATABASE third SET search_path = public, zoo');
$node->command_ok([ 'pg_restore', '-j4', '-d', $node->connstr('third'), "$dump.dir" ], 'parallel restore');
restored($node, 'third', 'in parallel');

# After a restore, training works, and missing sources and owners can be replaced.
$node->safe_psql('second', q{SELECT mf_train('shop.ratings', factors => 4)});
is($node->safe_psql('second', q{SELECT count(*), count(DISTINCT model_id), max(version) FROM mf_models WHERE model <> 'later'}),
    '11|11|3', 'a training run after the restore gets a number of its own');
my ($status, $out, $err) = $node->psql('second', q{SELECT mf_recommend(1, 3, 'left')});
like($err, qr/the role that owns model "left" does not exist any more.*mf_set_owner/s, 'a model without owner serves nobody');
is($node->safe_psql('second', q{SELECT mf_set_owner('left', 'keeper'); SELECT count(*) FROM mf_recommend(1, 3, 'left')}), "\n3", 'until it has one');
($status, $out, $err) = $node->psql('second', q{SELECT mf_recommend(1, 3, 'gone')});
like($err, qr/the source of model "gone" does not exist any more/, 'nor is another source taken');

# A dump without the models restores, and training makes them again.
$node->command_ok([ 'pg_dump', '--exclude-table-data=*.mf_*_data', '-d', $node->connstr('first'), '-f', "$dump.without.sql" ],
    'dump without models');
$node->safe_psql('postgres', 'CREATE DATABASE fourth; ALTER DATABASE fourth SET search_path = public, zoo');
$node->command_ok([ @psql, '-d', $node->connstr('fourth'), '-f', "$dump.without.sql" ], 'restore without models');
is($node->safe_psql('fourth', 'SELECT count(*) FROM mf_models'), '0', 'no models');
is($node->safe_psql('fourth', q{SELECT version FROM mf_train('shop.ratings', factors => 4); SELECT count(*) FROM mf_recommend(1, 3)}),
    "1\n3", 'until one is trained');

# Without the rows of users, all of them are folded in; without those of items, a call says what is missing.
$node->command_ok([ 'pg_dump', '--exclude-table-data=*.mf_user_factor_data', '-d', $node->connstr('first'), '-f', "$dump.items.sql" ],
    'dump without users');
$node->safe_psql('postgres', 'CREATE DATABASE fifth; ALTER DATABASE fifth SET search_path = public, zoo');
$node->command_ok([ @psql, '-d', $node->connstr('fifth'), '-f', "$dump.items.sql" ], 'restore without users');
is($node->safe_psql('fifth', q{SELECT DISTINCT basis FROM generate_series(1, 20) u, mf_recommend(u, 5, 'ratings') UNION ALL SELECT DISTINCT basis FROM mf_recommend(3, 5, 'parts')}),
    "fold-in\nfold-in", 'users are folded in');
is($node->safe_psql('fifth', q{SELECT count(*), count(DISTINCT user_id) FROM mf_recommend_all(5, 'ratings')}), '100|20', 'in batches too');
$node->command_ok([ 'pg_dump', '--exclude-table-data=*.mf_item_factor_data', '-d', $node->connstr('first'), '-f', "$dump.users.sql" ],
    'dump without items');
$node->safe_psql('postgres', 'CREATE DATABASE sixth; ALTER DATABASE sixth SET search_path = public, zoo');
$node->command_ok([ @psql, '-d', $node->connstr('sixth'), '-f', "$dump.users.sql" ], 'restore without items');
($status, $out, $err) = $node->psql('sixth', q{SELECT mf_recommend(1, 3, 'ratings')});
like($err, qr/ERROR: .*version 2 of model "ratings" lacks item factors\nDETAIL:  0 of 31 rows were found\.\nHINT:  Train the model again\./, 'says what is missing');

# A source that is not restored: its model has none, and all others are as before.
$node->command_ok([ 'pg_dump', '--exclude-table=shop.mostly', '--exclude-table=shop.parts', '--exclude-table=shop.part', '--exclude-table=shop.movies', '--exclude-table=shop.people', '-d', $node->connstr('first'), '-f', "$dump.part.sql" ],
    'dump without two sources and the features');
$node->safe_psql('postgres', 'CREATE DATABASE seventh; ALTER DATABASE seventh SET search_path = public, zoo');
my ($stdout, $stderr) = run_command([ @psql, '-d', $node->connstr('seventh'), '-f', "$dump.part.sql" ]);
is(join("\n", $stderr =~ /WARNING:  (.*)/g), "relation shop.movies does not exist\nrelation shop.people does not exist\nrelation shop.mostly does not exist\nrelation shop.parts does not exist", 'a WARNING each');
like($stderr, qr/HINT:  Train the model on another relation\./, 'with a hint');
is($node->safe_psql('seventh', q{SELECT string_agg(item_id || ':' || score, ' ') FROM mf_recommend(3, 5, 'ratings')}),
    $node->safe_psql('first', q{SELECT string_agg(item_id || ':' || score, ' ') FROM mf_recommend(3, 5, 'ratings')}), 'the others serve');
is($node->safe_psql('seventh', q{SELECT model FROM mf_models WHERE source = 0 ORDER BY model}), "gone\nmostly\nparts", 'those have no source');
($status, $out, $err) = $node->psql('seventh', q{SELECT mf_explain_item(1, model => 'ratings')});
like($err, qr/ERROR: .*the relation of features that model "ratings" was trained with does not exist any more/, 'nor are other features taken');
($status, $out, $err) = $node->psql('seventh', q{SELECT DISTINCT basis FROM mf_recommend(25, 3, 'ratings')});
is($out, 'popular', 'nothing is known of users');
like($err, qr/WARNING: .*"ratings"/, 'which a warning says');

# Another server: without the role the models have no owner, nor are there grants to roles that are missing. With the
# roles everything is restored.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->start;
$other->safe_psql('postgres', 'CREATE ROLE moves_the_oids; CREATE ROLE web');
$other->safe_psql('postgres', 'DROP ROLE web');
($stdout, $stderr) = run_command([ 'psql', '-Xq', '-d', $other->connstr('postgres'), '-f', "$dump.sql" ]);
my @models = split /\n/, $node->safe_psql('first', q{SELECT model FROM mf_model_data WHERE owner::regrole::oid <> 0 ORDER BY model_id});
is(scalar(() = $stderr =~ /WARNING:  role keeper does not exist\n(?:.*\n)?DETAIL:  Every model that it owned is restored without an owner\./g),
    2, 'one WARNING for all models of a role that is missing, and one for its training runs');
like($stderr, qr/WARNING:  role web does not exist\n(?:.*\n)?DETAIL:  What was granted to it is left out\./, 'and for each grant');
is($other->safe_psql('first', q{SELECT count(*), sum((owner::regrole::oid = 0)::integer) FROM mf_model_data; SELECT count(*) FROM mf_grant_data}),
    scalar(@models) . '|' . scalar(@models) . "\n0", 'all models are there, without owner, and granted to nobody');
is($other->safe_psql('first', q{SELECT count(mf_set_owner('mostly', current_user)); SELECT count(*) FROM mf_recommend(3, 3, 'mostly')}),
    "1\n3", 'a superuser gives one an owner');
$other->safe_psql('postgres', 'DROP DATABASE first');
$other->safe_psql('postgres', 'CREATE ROLE keeper; CREATE ROLE web');
$other->command_ok([ @psql, '-d', $other->connstr('postgres'), '-f', "$dump.sql" ], 'restore on another server');
restored($other, 'first', 'there');

$node->stop;
$other->stop;
done_testing();
