# Every variant of the kernels that this processor has trains, serves and evaluates: the same results within the rounding of
# floats, in training by steps within what the steps leave, and the same bits where the variants sum in the same order.
# MF_EXT_KERNELS in the server's environment forces one.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

delete $ENV{MF_EXT_KERNELS};
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# Tastes in four dimensions, so that factors have something to find. Items are from very popular (their rows go through the
# kernels in several panels) to rare.
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE FUNCTION draw(a bigint, b bigint) RETURNS float8 IMMUTABLE LANGUAGE sql AS 'SELECT mf_fold(a, b, 1000003) / 1000003.0';
    CREATE TABLE ratings AS
        SELECT u AS user_id, i AS item_id,
               (3 + sin(u % 7 * (1 + i % 4)) + cos(u % 11 + i % 5) + draw(u + 5000, i) - 0.5)::real AS rating
          FROM generate_series(1, 3000::bigint) u, generate_series(1, 400::bigint) i
         WHERE draw(u, i) < 0.9 / (1 + i * 0.15);
    CREATE INDEX ON ratings (user_id);
    CREATE TABLE test_rows AS
        SELECT u AS user_id, i AS item_id, 4::real AS rating FROM generate_series(1, 3000, 3::bigint) u, generate_series(1, 400::bigint) i
         WHERE draw(u + 9000, i) < 0.02 AND NOT EXISTS (SELECT FROM ratings r WHERE r.user_id = u AND r.item_id = i);
});

my %trainings = (
    explicit => q{factors => 24},
    cholesky => q{factors => 100, iterations => 3, options => '{"solver": "cholesky"}'},
    implicit => q{factors => 40, feedback => 'implicit'});

# What is looked at of a model: name => query of rows (key, number).
my %looks = (
    predictions => q{SELECT u || ' ' || i, mf_predict(u, i, '%s') FROM generate_series(1, 3000, 17::bigint) u, generate_series(1, 400, 7::bigint) i},
    lists => q{SELECT u || ' ' || row_number() OVER (PARTITION BY u ORDER BY score DESC), score
                 FROM generate_series(1, 3000, 11::bigint) u, LATERAL mf_recommend(u, 10, '%s')},
    all_lists => q{SELECT user_id || ' ' || row_number() OVER (PARTITION BY user_id ORDER BY score DESC), score FROM mf_recommend_all(5, '%s') WHERE user_id %% 8 = 0},
    similar_items => q{SELECT i || ' ' || row_number() OVER (PARTITION BY i ORDER BY similarity DESC), similarity
                         FROM generate_series(1, 400, 13::bigint) i, LATERAL mf_similar_items(i, 5, '%s')},
    folded_in => q{SELECT row_number() OVER (ORDER BY score DESC), score
                     FROM mf_recommend_for(ARRAY[1, 5, 9, 200]::bigint[], ARRAY[5, 1, 4, 5], 50, '%s')},
    evaluation => q{SELECT recommender || ' ' || key, value
                      FROM mf_evaluate('%s', 'test_rows', 20) e, jsonb_each_text(to_jsonb(e) - '{recommender,users,rows,skipped}'::text[])});

sub numbers {
    my ($query) = @_;
    return { map { split /\|/ } grep { /\|[^|]/ } split /\n/, $node->safe_psql('postgres', $query) };
}

sub digest {
    my ($model) = @_;
    return $node->safe_psql('postgres', qq{
        SELECT md5(string_agg(concat(i), ' ' ORDER BY item_id)) FROM (
            SELECT item_id, ranking_factors, rating_factors, rating_bias FROM mf_item_factors JOIN mf_models m USING (model_id) WHERE m.model = '$model') i});
}

# The largest difference, in parts of the largest number; 1 if other things are there.
sub difference {
    my ($a, $b) = @_;
    return 1 if join(',', sort keys %$a) ne join(',', sort keys %$b) || !%$a;
    my ($scale, $largest) = (0, 0);
    for my $key (keys %$a) {
        $scale = abs $a->{$key} if abs $a->{$key} > $scale;
        my $d = abs($a->{$key} - $b->{$key});
        $largest = $d if !($d <= $largest);
    }
    return $scale > 0 ? $largest / $scale : 1;
}

my ($in_use, %trained, %served, %digests);
for my $variant ('portable', 'avx2', 'avx512', 'unknown') {
    local $ENV{MF_EXT_KERNELS} = $variant;
    $node->restart;
    my ($status, $out, $err) = $node->psql('postgres', q{LOAD 'mf_ext'; SHOW mf_ext.kernels});
    if ($status != 0) {
        like($err, qr/this processor does not support kernels "$variant"/, "kernels that are not there are refused: $variant");
        ok($variant ne 'portable', 'nowhere are there none');
        next;
    }
    is($out, "$variant $variant", "the kernels are $variant");
    for my $name (sort keys %trainings) {
        my $model = "${name}_$variant";
        $node->safe_psql('postgres', "SELECT FROM mf_train('ratings', '$model', $trainings{$name})");
        $digests{$name}{$variant} = digest($model);
        for my $look (sort keys %looks) {
            next if $look eq 'predictions' && $name eq 'implicit';
            $trained{"$name, $look"}{$variant} = numbers(sprintf $looks{$look}, $model);
            # The same model by other kernels.
            $served{"$name, $look"}{$variant} = numbers(sprintf $looks{$look}, "${name}_portable");
        }
    }
}

my @others = grep { exists $digests{explicit}{$_} } 'avx2', 'avx512';
note "compared with portable: @others";
for my $variant (@others) {
    for my $name (sort keys %served) {
        my $d = difference($served{$name}{portable}, $served{$name}{$variant});
        note "served, $name, $variant: $d";
        cmp_ok($d, '<', 5e-6, "one model served by portable and $variant kernels: $name");
        $d = difference($trained{$name}{portable}, $trained{$name}{$variant});
        note "trained, $name, $variant: $d";
        # Steps of conjugate gradient read factors rounded to 8 bits and end when little is left to gain: of a row that is
        # near that, one variant takes a step more.
        my $by_steps = $name !~ /^cholesky|predictions/;
        cmp_ok($d, '<', $by_steps ? 2e-2 : 1e-4, "trained and served by portable and $variant kernels: $name");
    }
}
SKIP: {
    skip 'no two variants that sum in the same order', 1 if @others < 2;
    is($digests{$_}{avx2}, $digests{$_}{avx512}, "avx2 and avx512 train the same bits: $_") for sort keys %trainings;
}

$node->stop;
done_testing();
