# What a training run has stored belongs to its transaction: one that is prepared and committed by another session, or rolled
# back, and one whose session ends before the commit.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_prepared_transactions = 2\nmf_ext.keep_versions = 2");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 300 AS user_id, (n * 7919 + n / 300) % 500 AS item_id, 1 + n % 5 AS rating, n % 2 AS shop
          FROM generate_series(1, 20000::bigint) n;
    CREATE INDEX ON ratings (user_id);
});
sub sql { return $node->safe_psql('postgres', $_[0]); }
sub error_of { my ($status, $out, $err) = $node->psql('postgres', $_[0]); return $err; }
sub lists { return sql("SELECT md5(string_agg(concat_ws(' ', u, item_id, score, rank), ',' ORDER BY u, rank)) FROM generate_series(0, 299) u, mf_recommend(u, 5, '$_[0]')"); }
# Everything that is stored for a model, or for none.
sub stored {
    return sql(qq{
        SELECT (SELECT count(*) FROM mf_models WHERE model = '$_[0]'), (SELECT count(*) FROM mf_trainings WHERE model = '$_[0]'),
               (SELECT count(*) FROM mf_user_factor_data d WHERE NOT EXISTS (SELECT FROM mf_models m WHERE m.model_id = d.model_id))
             + (SELECT count(*) FROM mf_item_factor_data d WHERE NOT EXISTS (SELECT FROM mf_models m WHERE m.model_id = d.model_id))});
}

# The same rows and arguments give the same model, so these are the lists that are to come.
my $train = q{SELECT FROM mf_train('ratings', 'shop', factors => 8, iterations => 2)};
my $train_next = q{SELECT FROM mf_train('ratings', 'shop', factors => 12, iterations => 2)};
sql($train =~ s/'shop'/'first'/r);
sql($train_next =~ s/'shop'/'next'/r);
my ($first, $next) = (lists('first'), lists('next'));
isnt($first, $next, 'two models with different lists');
is(stored('shop'), '0|0|0', 'a third one that is not there');

# Prepared.
sql("BEGIN; $train; PREPARE TRANSACTION 'p'");
is(stored('shop'), '0|0|0', 'a prepared training run is not to be seen');
like(error_of(q{SELECT FROM mf_recommend(1, 5, 'shop')}), qr/model "shop" does not exist/, 'nor to be asked');
like(error_of("SET lock_timeout = '100ms'; $train_next"), qr/canceling statement due to lock timeout/, 'another training run of the model waits for it');
sql("ROLLBACK PREPARED 'p'");
is(stored('shop'), '0|0|0', 'ROLLBACK PREPARED leaves nothing');
like(error_of(q{SELECT FROM mf_recommend(1, 5, 'shop')}), qr/model "shop" does not exist/, 'and no model');

sql("BEGIN; $train; SELECT FROM mf_recommend(1, 5, 'shop'); PREPARE TRANSACTION 'p'");
sql("COMMIT PREPARED 'p'");
is(stored('shop'), '1|1|0', 'COMMIT PREPARED in another session publishes the model');
is(lists('shop'), $first, 'with the lists of the same training run without it');

# The next version, beside a session that serves the model: it goes on with the live version until the other is committed.
my $server = $node->background_psql('postgres');
my $served = q{SELECT md5(string_agg(concat_ws(' ', u, item_id, score, rank), ',' ORDER BY u, rank)) FROM generate_series(0, 299) u, mf_recommend(u, 5, 'shop')};
is($server->query_safe($served), $first, 'a session serves the model');
sql("BEGIN; $train_next; PREPARE TRANSACTION 'p'");
is($server->query_safe($served), $first, 'and goes on while the next version is prepared');
sql("ROLLBACK PREPARED 'p'");
is($server->query_safe($served), $first, 'and when that is rolled back');
sql("BEGIN; $train_next; PREPARE TRANSACTION 'p'");
$server->quit;
$node->stop('immediate');
$node->start;
is(lists('shop'), $first, 'a prepared version waits through a restart');
$server = $node->background_psql('postgres');
is($server->query_safe($served), $first, 'while the live one is served');
sql("COMMIT PREPARED 'p'");
is($server->query_safe($served), $next, 'once committed it is served, by sessions that have served the other');
is(lists('shop'), $next, 'and by new ones');
is(sql(q{SELECT string_agg(version || ' ' || live, ', ' ORDER BY version) FROM mf_models WHERE model = 'shop'}), '1 false, 2 true', 'both versions are kept');
is(stored('shop'), '2|2|0', 'and nothing else');

# Whatever else changes a model can be prepared as well.
sql(q{BEGIN; SELECT mf_set_live('shop', 1); PREPARE TRANSACTION 'p'});
is($server->query_safe($served), $next, 'a version that is not live yet');
sql(q{COMMIT PREPARED 'p'});
is($server->query_safe($served), $first, 'is live once committed');
sql(q{BEGIN; SELECT FROM mf_train_each('ratings', 'shop', 'tenant', factors => 4, iterations => 1); SELECT mf_drop_model('shop'); PREPARE TRANSACTION 'p'});
is(sql(q{SELECT count(*) FROM mf_models WHERE model LIKE 'tenant%'}), '0', 'models of tenants that are prepared');
is($server->query_safe($served), $first, 'and a model that is to be dropped');
sql(q{COMMIT PREPARED 'p'});
is(sql(q{SELECT string_agg(model, ' ' ORDER BY model) FROM mf_models}), 'first next tenant/0 tenant/1', 'are there and gone once committed');
is(sql(q{SELECT count(*) FROM mf_recommend(1, 5, 'tenant/1')}), '5', 'and serve');
$server->quit;

# A session that ends between its training run and the commit.
for my $case ([ 'a new model', 'fresh', $train =~ s/'shop'/'fresh'/r, '0|0|0' ], [ 'the next version of a model', 'first', $train_next =~ s/'shop'/'first'/r, '1|1|0' ]) {
    my ($name, $model, $statement, $expected) = @$case;
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    my $pid = $session->query_safe('SELECT pg_backend_pid()');
    $session->query_safe('BEGIN');
    $session->query_safe($statement);
    is($session->query_safe("SELECT count(*) FROM mf_recommend(1, 5, '$model')"), '5', "$name, before the commit");
    is(sql("SELECT pg_terminate_backend($pid, 60000)"), 't', 'the session is ended');
    is(stored($model), $expected, 'nothing is left of the training run');
    is(sql(q{SELECT count(*) FROM mf_progress}), '0', 'none is under way');
    is(sql(q{SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()}), '0', 'no lock is held');
    is(lists($model), $first, 'the live version serves') if $model eq 'first';
    sql("SET lock_timeout = '10s'; $statement");
    is(lists($model), $model eq 'first' ? $next : $first, 'the next training run works');
    eval { $session->quit };
}

$node->stop;
done_testing();
