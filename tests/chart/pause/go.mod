module skald.test/chart/pause

go 1.23
