// The endpoint that holds the least for its weight gets the next connection. Equals take turns.
#include "tidegate.h"

static const tg_endpoint *endpoints;
static uint32_t last = UINT32_MAX;

static void tg_configure(tg_text config, const tg_endpoint *given, size_t count) {
  (void)count;
  if (!tg_is(config, "null") && !tg_is(config, "{}")) {
    tg_refuse("", "this plugin takes no configuration: leave it out");
    return;
  }
  endpoints = given;
  last = UINT32_MAX;
  tg_log(TG_INFO, "plugin-name: the least busy for its weight");
}

static int64_t tg_pick(const uint32_t *eligible, const uint32_t *busy, size_t count, int64_t affinity) {
  (void)affinity;
  // Begin behind the endpoint that was chosen last, and go round: the first of equals wins.
  size_t first = 0;
  while (first < count && eligible[first] <= last) first++;

  size_t best = first % count;
  for (size_t step = 1; step < count; step++) {
    size_t i = (first + step) % count;
    // (busy + 1) / weight, compared without dividing. Both are below 2^31, so the products fit.
    uint64_t here = (uint64_t)(busy[i] + 1) * endpoints[eligible[best]].weight;
    uint64_t there = (uint64_t)(busy[best] + 1) * endpoints[eligible[i]].weight;
    if (here < there) best = i;
  }
  return last = eligible[best];
}
