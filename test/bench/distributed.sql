-- The targets of `distributed`.
INSERT INTO bench.goals VALUES
    ('iteration, k = 64: times the local trainer', NULL, -1, 2.5),
    ('all but iterations: times a bare read of the ratings', NULL, -1, 6),
    ('peak memory of a job with mf_ext.max_memory = 1 GB, in MB', NULL, -1, 1024),
    ('loss: relative difference to the local trainer', NULL, -1, 1e-4);
