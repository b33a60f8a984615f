// The balancer itself, compiled for this machine. The checks are those of the sample: write your own with the logic.
#include "balancer.c"

#include <stdlib.h>

#define CHECK(condition) \
  ((condition) ? (void)0 : (fprintf(stderr, "test.c:%d: failed: %s\n", __LINE__, #condition), exit(1)))

static const tg_endpoint cluster[] = {
    {.weight = 100}, {.weight = 100}, {.weight = 200}, {.weight = 100}, {.weight = 100}, {.weight = 100},
};

static void begin(const char *config) {
  tg_errors.count = 0;
  tg_configure((tg_text){config, tg_length(config)}, cluster, 6);
}

static int64_t pick2(uint32_t a, uint32_t b, uint32_t busy_a, uint32_t busy_b) {
  return tg_pick((uint32_t[]){a, b}, (uint32_t[]){busy_a, busy_b}, 2, TG_NONE);
}

int main(void) {
  begin("null");
  CHECK(tg_errors.count == 0);
  CHECK(pick2(3, 5, 4, 1) == 5); // the least busy: an id, not an index

  CHECK(pick2(0, 2, 1, 2) == 2); // twice the weight holds twice as much
  CHECK(pick2(0, 2, 0, 2) == 0);

  begin("{}");
  CHECK(pick2(3, 5, 0, 0) == 3); // equals take turns
  CHECK(pick2(3, 5, 0, 0) == 5);
  CHECK(pick2(3, 5, 0, 0) == 3);
  CHECK(pick2(1, 4, 0, 0) == 4); // also if the last one is gone

  begin("{\"limit\":3}");
  CHECK(tg_errors.count == 1); // a configuration that it does not have is refused

  puts("good");
  return 0;
}
