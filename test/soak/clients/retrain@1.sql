SELECT FROM mf_retrain('ratings');
