// The balancer itself, compiled for this machine. The checks are those of the sample: write your own with the logic.
#include "balancer.cpp"

#include <stdlib.h>

#define CHECK(condition) \
  ((condition) ? (void)0 : (fprintf(stderr, "test.cpp:%d: failed: %s\n", __LINE__, #condition), exit(1)))

static Endpoint endpoint(uint32_t weight) { return {"ws://a", weight, 0, false, "", {}}; }

static const Endpoint cluster[] = {endpoint(100), endpoint(100), endpoint(200),
                                   endpoint(100), endpoint(100), endpoint(100)};

static LeastBusy fresh(Text config, size_t expected_errors) {
  LeastBusy balancer;
  ConfigErrors errors;
  balancer.configure(config, {cluster, 6}, errors);
  CHECK(errors.all().size() == expected_errors);
  return balancer;
}

static Option pick(LeastBusy &balancer, uint32_t a, uint32_t b, uint32_t busy_a, uint32_t busy_b) {
  const uint32_t eligible[] = {a, b}, busy[] = {busy_a, busy_b};
  return balancer.pick({eligible, 2}, {busy, 2}, tidegate::none);
}

int main() {
  LeastBusy balancer = fresh("null", 0);
  CHECK(pick(balancer, 3, 5, 4, 1) == 5u); // the least busy: an id, not an index
  CHECK(pick(balancer, 0, 2, 1, 2) == 2u); // twice the weight holds twice as much
  CHECK(pick(balancer, 0, 2, 0, 2) == 0u);

  balancer = fresh("{}", 0);
  CHECK(pick(balancer, 3, 5, 0, 0) == 3u); // equals take turns
  CHECK(pick(balancer, 3, 5, 0, 0) == 5u);
  CHECK(pick(balancer, 3, 5, 0, 0) == 3u);
  CHECK(pick(balancer, 1, 4, 0, 0) == 4u); // also if the last one is gone

  fresh("{\"limit\":3}", 1); // a configuration that it does not have is refused

  puts("good");
  return 0;
}
