-- Which GPU a pod holds, and from when to when: no GPU is held by two pods at a time.

CREATE TABLE gpu_allocations (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id   bigint NOT NULL REFERENCES gpu_devices (id) ON DELETE CASCADE,
    pod_id      bigint NOT NULL REFERENCES pods (id) ON DELETE CASCADE,
    container   text NOT NULL,
    held_from   timestamptz NOT NULL,
    held_until  timestamptz,
    CHECK (held_until >= held_from)
);
CREATE UNIQUE INDEX gpu_allocations_held_key ON gpu_allocations (device_id) WHERE held_until IS NULL;
CREATE INDEX gpu_allocations_device_idx ON gpu_allocations (device_id, held_from DESC);
CREATE INDEX gpu_allocations_pod_idx ON gpu_allocations (pod_id);
COMMENT ON TABLE gpu_allocations IS 'GPUs held by containers; held_until is null while they are held.';
COMMENT ON INDEX gpu_allocations_held_key IS 'A GPU is held by at most one container at a time.';

CREATE VIEW nodes_gpu AS
SELECT n.id AS node_id, n.cluster_id, n.name, n.gpu_capacity, n.gpu_allocatable, count(a.id)::integer AS gpu_held
FROM nodes AS n
LEFT JOIN gpu_devices AS d ON d.node_id = n.id
LEFT JOIN gpu_allocations AS a ON a.device_id = d.id AND a.held_until IS NULL
WHERE n.deleted_at IS NULL
GROUP BY n.id;
COMMENT ON VIEW nodes_gpu IS 'Nodes that are there, with the GPUs held on them now.';
