# A new session loads the library, its version is that of the control file, and a model survives a restart.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# With jit on, the server may already have loaded a C++ library that ours fails to link.
is($node->safe_psql('postgres', "SET jit = off; LOAD 'mf_ext'; SELECT 'loaded'"),
    'loaded', 'the library loads in a fresh session');

$node->safe_psql('postgres', 'CREATE EXTENSION mf_ext');

my ($share) = $node->config_data('--sharedir');
my ($version) = slurp_file("$share/extension/mf_ext.control") =~ /^default_version\s*=\s*'([^']+)'/m;
is($node->safe_psql('postgres', "SELECT extversion FROM pg_extension WHERE extname = 'mf_ext'"),
    $version, 'the version is that of the control file');

$node->safe_psql('postgres', q{
    CREATE TABLE ratings (user_id int, item_id int, rating real, PRIMARY KEY (user_id, item_id));
    INSERT INTO ratings
        SELECT u, i, 1 + (u * i + u + i) % 5 FROM generate_series(1, 20) u, generate_series(1, 30) i WHERE (u + i) % 3 > 0;
    SELECT mf_train('ratings', factors => 4);
});
my $list = q{SELECT string_agg(item_id || ':' || score || ':' || basis, ' ') FROM mf_recommend(7, 5)};
my $before = $node->safe_psql('postgres', $list);
like($before, qr/^(\d+:\S+:trained ?){5}$/, 'five items from the trained model');

$node->restart;
is($node->safe_psql('postgres', $list), $before, 'the same list after a restart');

$node->stop;
done_testing();
