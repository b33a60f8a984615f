// The endpoint that holds the least for its weight gets the next connection. Equals take turns.
#include "tidegate.hpp"

using tidegate::ConfigErrors, tidegate::Endpoint, tidegate::Option, tidegate::Span, tidegate::Text;

class LeastBusy {
  Span<Endpoint> endpoints = {};
  uint32_t last = UINT32_MAX;

 public:
  // Called once, before anything else. The configuration is the operator's, as JSON text: "null" if there is none. All
  // that it is given stays valid for the life of the instance.
  void configure(Text config, Span<Endpoint> given, ConfigErrors &errors) {
    if (config != "null" && config != "{}") {
      errors.add("", "this plugin takes no configuration: leave it out");
      return;
    }
    endpoints = given;
    tidegate::log(tidegate::Level::info, "plugin-name: the least busy for its weight");
  }

  // Chooses one of eligible (ids, ascending, never empty); none sends the client away with 503. busy[i] is what
  // eligible[i] holds now; affinity is a 31-bit hash of what the cluster keeps together, if it does.
  Option pick(Span<uint32_t> eligible, Span<uint32_t> busy, Option /*affinity*/) {
    // Begin behind the endpoint that was chosen last, and go round: the first of equals wins.
    const size_t count = eligible.size();
    size_t first = 0;
    while (first < count && eligible[first] <= last) first++;

    size_t best = first % count;
    for (size_t step = 1; step < count; step++) {
      const size_t i = (first + step) % count;
      // (busy + 1) / weight, compared without dividing. Both are below 2^31, so the products fit.
      const uint64_t here = uint64_t(busy[i] + 1) * endpoints[eligible[best]].weight;
      const uint64_t there = uint64_t(busy[best] + 1) * endpoints[eligible[i]].weight;
      if (here < there) best = i;
    }
    return last = eligible[best];
  }
};

TIDEGATE_BALANCER(LeastBusy);
