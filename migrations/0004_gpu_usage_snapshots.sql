-- How much the GPUs did: samples by device, and the cluster as a whole by hour.

CREATE TABLE gpu_usage_snapshots (
    device_id           bigint NOT NULL REFERENCES gpu_devices (id) ON DELETE CASCADE,
    taken_at            timestamptz NOT NULL,
    allocation_id       bigint REFERENCES gpu_allocations (id) ON DELETE SET NULL,
    utilization         real NOT NULL CHECK (utilization BETWEEN 0 AND 1),
    memory_used_bytes   bigint NOT NULL CHECK (memory_used_bytes >= 0),
    power_watts         real CHECK (power_watts >= 0),
    temperature_celsius real,
    PRIMARY KEY (device_id, taken_at)
);
CREATE INDEX gpu_usage_snapshots_taken_idx ON gpu_usage_snapshots USING brin (taken_at);
CREATE INDEX gpu_usage_snapshots_allocation_idx ON gpu_usage_snapshots (allocation_id) WHERE allocation_id IS NOT NULL;
COMMENT ON TABLE gpu_usage_snapshots IS 'One sample of one GPU; written in order of time, which is what the BRIN index relies on.';
COMMENT ON COLUMN gpu_usage_snapshots.utilization IS 'Share of the sampling interval in which the GPU was busy, 0 to 1.';

CREATE TABLE cluster_gpu_hours (
    cluster_id        bigint NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
    hour              timestamptz NOT NULL CHECK (hour = date_trunc('hour', hour, 'UTC')),
    gpu_capacity      integer NOT NULL CHECK (gpu_capacity >= 0),
    allocation_ratio  real NOT NULL CHECK (allocation_ratio BETWEEN 0 AND 1),
    utilization       real NOT NULL CHECK (utilization BETWEEN 0 AND 1),
    PRIMARY KEY (cluster_id, hour)
);
COMMENT ON TABLE cluster_gpu_hours IS 'Allocation and utilisation of a cluster''s GPUs, averaged over one hour in UTC.';
