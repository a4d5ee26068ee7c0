# Models are data: dumped and restored, plainly and in parallel, by the owner of the database too, they give the same
# lists, and the numbers of versions go on.
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
    CREATE ROLE reader;
    CREATE ROLE leaving;
    CREATE DATABASE first OWNER keeper;
    CREATE DATABASE second;
    CREATE DATABASE third;
    CREATE DATABASE fourth;
});
$node->safe_psql('first', q{
    CREATE EXTENSION mf_ext;
    CREATE SCHEMA shop AUTHORIZATION keeper;
    SET ROLE keeper;
    CREATE TABLE shop.ratings (user_id int, item_id int, rating real, PRIMARY KEY (user_id, item_id));
    INSERT INTO shop.ratings
        SELECT u, i, 1 + (u * i + u + i) % 5 FROM generate_series(1, 20) u, generate_series(1, 30) i WHERE (u + i) % 3 > 0;
    CREATE TABLE shop.gone AS SELECT * FROM shop.ratings;
    CREATE INDEX ON shop.gone (user_id);
    SELECT mf_train('shop.ratings', factors => 4);
    SELECT mf_train('shop.ratings', factors => 5);
    SELECT mf_train('shop.gone', factors => 4);
    DROP TABLE shop.gone;
    SELECT mf_grant('ratings', 'reader'), mf_grant('ratings', 'leaving'), mf_grant('gone', 'public');
    RESET ROLE;
    DROP ROLE leaving;
});

my $lists = q{
    SELECT string_agg(item_id || ':' || score || ':' || predicted_rating || ':' || basis, ' ')
      FROM generate_series(1, 25) u, mf_recommend(u, 5, 'ratings');
    SELECT string_agg(item_id || ':' || score, ' ') FROM mf_recommend(3, 5, 'gone', exclude_seen => false);
    SELECT model, version, live, owner, users FROM mf_models ORDER BY model, version;
    SELECT model, grantee FROM mf_grants ORDER BY model; SET ROLE reader; SELECT count(*) FROM mf_recommend(1, 5, 'ratings')};
my $before = $node->safe_psql('first', $lists);
my $dump = $node->backup_dir . '/dump';
mkdir $node->backup_dir;

$node->command_ok([ 'pg_dump', '-d', $node->connstr('first'), '-f', "$dump.sql" ], 'dump');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('second'), '-f', "$dump.sql" ], 'restore');
is($node->safe_psql('second', $lists), $before, 'the same lists');

$node->command_ok([ 'pg_dump', '-Fc', '-d', $node->connstr('first'), '-f', "$dump.custom" ], 'dump in custom format');
$node->command_ok([ 'pg_restore', '-j4', '-d', $node->connstr('third'), "$dump.custom" ], 'parallel restore');
is($node->safe_psql('third', $lists), $before, 'the same lists');

$node->command_ok([ 'pg_dump', '-U', 'keeper', '-d', $node->connstr('first'), '-f', "$dump.keeper.sql" ],
    'dump by the owner of the database, no superuser');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('fourth'), '-f', "$dump.keeper.sql" ], 'restore');
is($node->safe_psql('fourth', $lists), $before, 'the same lists');

is($node->safe_psql('second', 'SELECT count(*) FROM mf_grant_data'), '2', 'a grant to a role that is gone is not dumped');

$node->safe_psql('second', q{SELECT mf_train('shop.ratings', factors => 4)});
is($node->safe_psql('second', q{SELECT count(*), count(DISTINCT model_id), max(version) FROM mf_models}),
    '3|3|3', 'a training after the restore gets a number of its own');

$node->stop;
done_testing();
