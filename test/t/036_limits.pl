# The limits of a session: what it may lower and who may raise it; and settings that are there from the first statement
# of a connection, wherever they are set.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "session_preload_libraries = mf_ext\nmf_ext.max_memory = 512MB\n");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE ROLE trainer LOGIN;
    CREATE ROLE operator LOGIN;
    GRANT CREATE ON SCHEMA public TO trainer;
    GRANT SET ON PARAMETER mf_ext.max_memory TO operator;
    CREATE TABLE ratings (user_id int, item_id int, rating real, PRIMARY KEY (user_id, item_id));
    INSERT INTO ratings
        SELECT u, i, 1 + (u * i + u + i) % 5 FROM generate_series(1, 200) u, generate_series(1, 200) i WHERE (u + i) % 3 > 0;
    GRANT SELECT ON ratings TO PUBLIC;
});

sub as {
    my ($role, $sql, $options) = @_;
    local $ENV{PGOPTIONS} = $options // '';
    my ($status, $out, $err) = $node->psql('postgres', $sql, extra_params => [ '-U', $role ]);
    $err =~ s/^psql:<stdin>:\d+: //mg;
    return $status == 0 && $err eq '' ? $out : "$out$err";
}

# From the first statement on.
is(as('trainer', 'SHOW mf_ext.max_memory'), '512MB', 'the value of the configuration');
is(as('trainer', 'SHOW mf_ext.keep_versions'), '2', 'the default');
is(as('trainer', q{SELECT count(*) > 5 FROM pg_settings WHERE name LIKE 'mf_ext.%'}), 't', 'in pg_settings');
$node->safe_psql('postgres', q{
    ALTER SYSTEM SET mf_ext.keep_versions = 7;
    ALTER DATABASE postgres SET mf_ext.max_memory = '256MB';
    ALTER ROLE operator SET mf_ext.max_threads = 1;
    SELECT pg_reload_conf();
});
is(as('operator', 'SHOW mf_ext.max_memory; SHOW mf_ext.max_threads'), "256MB\n1", 'ALTER DATABASE, ALTER ROLE');
$node->poll_query_until('postgres', 'SHOW mf_ext.keep_versions', '7') or die;
is(as('trainer', 'SHOW mf_ext.keep_versions'), '7', 'ALTER SYSTEM');
$node->safe_psql('postgres', 'ALTER ROLE trainer SET mf_ext.max_memory = \'1GB\'');
is(as('trainer', 'SHOW mf_ext.max_memory'), '1GB', 'a superuser gives one role more');
$node->safe_psql('postgres', 'ALTER ROLE trainer RESET mf_ext.max_memory');

# A session lowers its limits, and raises them back, but not above.
is(as('trainer', q{SET mf_ext.max_memory = '64MB'; SET mf_ext.max_memory = '256MB'; SET mf_ext.keep_versions = 1;
                   SET mf_ext.keep_versions = 7; SET mf_ext.max_threads = 1; SHOW mf_ext.max_memory}), '256MB', 'lower and back');
for my $raise ([ 'mf_ext.max_memory', '257MB', '262144 kB' ], [ 'mf_ext.keep_versions', '8', '7' ], [ 'mf_ext.max_threads', '1024', '0' ]) {
    my ($name, $value, $limit) = @$raise;
    for my $sql ("SET $name = '$value'", "BEGIN; SET LOCAL $name = '$value'", "SELECT set_config('$name', '$value', false)",
        "ALTER ROLE trainer SET $name = '$value'",
        "CREATE FUNCTION f() RETURNS text SET $name = '$value' LANGUAGE sql AS \$\$ SELECT 'raised' \$\$; SELECT f()") {
        my $answer = as('trainer', $sql);
        like($answer, qr/^ERROR:  permission denied to raise parameter "$name"$/m, $sql);
        like($answer, qr/DETAIL:  Its value for this session is $limit, which may be lowered\.$/m, 'and its limit');
    }
    # An option of the connection would replace the limit of the database or the role, so that nobody knew it.
    like(as('trainer', 'SELECT 1', "-c $name=$value"), qr/FATAL:  parameter "$name" cannot be an option of the connection/, "option $name");
}
is($node->safe_psql('postgres', 'SHOW mf_ext.max_memory', extra_params => []), '256MB', 'a superuser');
{
    local $ENV{PGOPTIONS} = '-c mf_ext.max_memory=1GB';
    is($node->safe_psql('postgres', 'SHOW mf_ext.max_memory'), '1GB', 'and with an option');
}
is(as('operator', q{SET mf_ext.max_memory = '3GB'; SHOW mf_ext.max_memory}), '3GB', 'a role with SET privilege raises');
like(as('operator', 'SET mf_ext.keep_versions = 8'), qr/permission denied/, 'but no other limit');
is($node->safe_psql('postgres', q{SET mf_ext.max_memory = '3GB'; SET ROLE trainer; SHOW mf_ext.max_memory}), '3GB',
    'what a superuser has raised stays in the session');
# A raised limit goes along with a job.
$node->safe_psql('postgres', q{
    CREATE VIEW watched AS SELECT user_id, item_id, rating FROM ratings WHERE current_setting('mf_ext.max_memory') = '3GB';
    SET mf_ext.max_memory = '3GB'; SET ROLE trainer;
    RESET ROLE; GRANT SELECT ON watched TO trainer; SET ROLE trainer; SELECT mf_train_async('watched', factors => 2)});
$node->poll_query_until('postgres', q{SELECT status = 'done' FROM mf_jobs WHERE model = 'watched'})
    or diag $node->safe_psql('postgres', 'TABLE mf_jobs');
is($node->safe_psql('postgres', q{SELECT status FROM mf_jobs WHERE model = 'watched'}), 'done', 'a job has the limits of its session');

# Where the library is loaded by the first call, that call takes the settings over.
$node->append_conf('postgresql.conf', "session_preload_libraries = ''");
$node->reload;
$node->poll_query_until('postgres', 'SHOW session_preload_libraries', '') or die;
like(as('trainer', q{SET mf_ext.max_memory = '3GB'; SELECT mf_fold(1, 1, 1); SHOW mf_ext.max_memory}),
    qr/^0\n256MB\n?WARNING:  permission denied to raise parameter "mf_ext.max_memory"/s, 'set before the first call');
is(as('trainer', q{SET mf_ext.max_memory = '16MB'; SELECT mf_fold(1, 1, 1); SHOW mf_ext.max_memory}), "0\n16MB", 'lowered before it');
like(as('trainer', 'SELECT mf_fold(1, 1, 1)', '-c mf_ext.max_threads=64'),
    qr/ERROR:  parameter "mf_ext.max_threads" cannot be an option of the connection/, 'an option of the connection');
# And where it is loaded by the server, nothing changes.
$node->append_conf('postgresql.conf', "shared_preload_libraries = mf_ext");
$node->restart;
like(as('trainer', 'SELECT 1', '-c mf_ext.max_threads=64'), qr/FATAL: .* parameter "mf_ext.max_threads"/, 'preloaded');
is(as('trainer', q{SET mf_ext.max_memory = '16MB'; SHOW mf_ext.max_memory}), '16MB', 'lowered');
like(as('trainer', q{SET mf_ext.max_memory = '3GB'}), qr/permission denied to raise/, 'raised');
is(as('operator', q{SET mf_ext.max_memory = '3GB'; SHOW mf_ext.max_memory}), '3GB', 'raised with SET privilege');
$node->stop;
done_testing();
