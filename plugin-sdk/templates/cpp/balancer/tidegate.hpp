// A balancer of the contract tidegate:plugin@0.1.0 (wit/balancer.wit) in C++17, without exceptions.
//
// Write a class with `configure` and `pick`, and name it in TIDEGATE_BALANCER: one source file, one class. Compiled for
// this machine it makes tests: nothing is exported, and log lines go to standard error.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace tidegate {

// Elements that belong to somebody else: what std::span would be.
template <typename T>
struct Span {
  const T *at;
  size_t length;

  constexpr const T &operator[](size_t i) const { return at[i]; }
  constexpr const T *begin() const { return at; }
  constexpr const T *end() const { return at + length; }
  constexpr size_t size() const { return length; }
};

// UTF-8.
struct Text : Span<char> {
  constexpr Text(const char *from, size_t size) : Span{from, size} {}
  constexpr Text(const char *from) : Span{from, 0} {
    while (from[length]) length++;
  }
  constexpr bool operator==(Text other) const {
    if (length != other.length) return false;
    for (size_t i = 0; i < length; i++) {
      if (at[i] != other.at[i]) return false;
    }
    return true;
  }
  constexpr bool operator!=(Text other) const { return !(*this == other); }
};

struct Label { Text key, value; };

// A member of the cluster. Its id is its index in the list that configure is given.
struct Endpoint {
  Text name;        // "ws://10.0.0.7:8080"
  uint32_t weight;  // in hundredths: 100 is 1.0; 1 to 10,000
  uint32_t group;   // lower groups are used first; the gateway sees to that
  bool has_route;   // whether route is there
  Text route;       // sticky route
  Span<Label> labels;
};

struct None {};
inline constexpr None none;

// A number or none.
struct Option {
  bool is_some;
  uint32_t value;
  constexpr Option(None) : is_some(false), value(0) {}
  constexpr Option(uint32_t some) : is_some(true), value(some) {}
  constexpr bool operator==(Option other) const {
    return is_some == other.is_some && (!is_some || value == other.value);
  }
};

// What is wrong with the configuration. The path points into it (RFC 6901: "/limits/0"), "" is the whole of it. Texts
// must outlive configure.
struct ConfigError { Text path, message; };

// The errors of a configuration; none if it is good. The first eight are reported.
class ConfigErrors {
  ConfigError list[8] = {{"", ""}, {"", ""}, {"", ""}, {"", ""}, {"", ""}, {"", ""}, {"", ""}, {"", ""}};
  size_t count = 0;

 public:
  void add(Text path, Text message) {
    if (count < sizeof list / sizeof *list) list[count++] = {path, message};
  }
  Span<ConfigError> all() const { return {list, count}; }
};

enum class Level : uint32_t { debug, info, warn, error };

// A line in the gateway's log.
inline void log(Level level, Text line);

// Ends the call with a line in the log. The gateway makes a fresh instance.
[[noreturn]] inline void fail(const char *file, int line, const char *condition) {
  char text[256] = {}, digits[12];
  size_t end = 0, count = 0;
  auto put = [&](const char *from) {
    while (*from && end < sizeof text - 1) text[end++] = *from++;
  };
  put(file);
  put(":");
  do digits[count++] = char('0' + line % 10); while (line /= 10);
  while (count && end < sizeof text - 1) text[end++] = digits[--count];
  put(": this does not hold: ");
  put(condition);
  // A text that was cut may end within a character, and the log takes whole ones.
  if (end == sizeof text - 1) {
    while (end > 0 && (text[end - 1] & 0x80)) end--;
  }
  log(Level::error, {text, end});
  __builtin_trap();
}

}  // namespace tidegate

#define TIDEGATE_ASSERT(condition) ((condition) ? (void)0 : tidegate::fail(__FILE__, __LINE__, #condition))

// ---- how it works; nothing below here has to be read

#ifdef __wasm__

#ifdef __wasi__
#include <stdlib.h>
#endif

extern "C" {
__attribute__((import_module("tidegate"), import_name("log")))
void tidegate_log(uint32_t level, const char *at, size_t length);
extern unsigned char __heap_base;
void __wasm_call_ctors();
}

namespace tidegate {

inline void log(Level level, Text line) { tidegate_log(uint32_t(level), line.at, line.length); }

#ifdef __wasi__  // with a C library: above the variables is what malloc gives away

// Each allocation is behind a header with the one before; freed when pick returns.
struct Block { Block *before; alignas(16) unsigned char content[16]; };
inline Block *taken = nullptr;

inline void *allocate(size_t size, size_t alignment) {
  if (alignment > 16 || size > SIZE_MAX - sizeof(Block)) __builtin_trap();
  auto *block = static_cast<Block *>(malloc(sizeof(Block) + size));
  if (!block) __builtin_trap();
  block->before = taken;
  taken = block;
  return block->content;
}

inline void keep() { taken = nullptr; }

inline void release() {
  while (taken) {
    Block *before = taken->before;
    free(taken);
    taken = before;
  }
}

#else

// Arguments are placed one behind the other above the variables, and each pick starts over behind what configure was
// given: nothing is ever freed, and nothing grows.
inline uintptr_t top = 0, bottom = 0;

inline void *allocate(size_t size, size_t alignment) {
  if (!top) top = bottom = uintptr_t(&__heap_base);
  uintptr_t at = (top + alignment - 1) & ~(alignment - 1);
  uintptr_t memory = __builtin_wasm_memory_size(0) * 65536;
  if (at < top || size > UINTPTR_MAX - at) __builtin_trap();
  if (at + size > memory) {
    size_t pages = (at + size - memory + 65535) / 65536;
    if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) __builtin_trap();
  }
  top = at + size;
  return reinterpret_cast<void *>(at);
}

inline void keep() { bottom = top; }

inline void release() { top = bottom; }

#endif

// Layouts of the canonical ABI.
static_assert(sizeof(Endpoint) == 36, "name, weight, group, option<route>, labels");
static_assert(sizeof(ConfigError) == 16, "path, message");
struct Configured { bool is_error; Span<ConfigError> errors; };
static_assert(sizeof(Configured) == 12 && sizeof(Option) == 8, "result, option<u32>");

}  // namespace tidegate

#ifdef __wasi__
#define TIDEGATE_INITIALIZE  // the C library has one
#else
#define TIDEGATE_INITIALIZE \
  __attribute__((export_name("_initialize"))) void tidegate_initialize() { __wasm_call_ctors(); }
#endif

// The gateway calls _initialize first; it asks cabi_realloc for 0 bytes, too, and never frees.
#define TIDEGATE_BALANCER(Class)                                                                                   \
  static Class tidegate_balancer;                                                                                  \
  extern "C" {                                                                                                     \
  TIDEGATE_INITIALIZE                                                                                              \
  __attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t alignment,    \
                                                                  size_t size) {                                   \
    if (size == 0) return reinterpret_cast<void *>(alignment);                                                     \
    if (size <= old_size) return old;                                                                              \
    void *fresh = tidegate::allocate(size, alignment);                                                             \
    if (old_size) __builtin_memcpy(fresh, old, old_size);                                                          \
    return fresh;                                                                                                  \
  }                                                                                                                \
  __attribute__((export_name("configure"))) void *tidegate_configure(                                              \
      const char *config, size_t length, const tidegate::Endpoint *endpoints, size_t count) {                      \
    static tidegate::ConfigErrors errors;                                                                          \
    static tidegate::Configured configured;                                                                        \
    tidegate_balancer.configure({config, length}, {endpoints, count}, errors);                                     \
    tidegate::keep();                                                                                              \
    configured = {errors.all().size() > 0, errors.all()};                                                          \
    return &configured;                                                                                            \
  }                                                                                                                \
  __attribute__((export_name("pick"))) void *tidegate_pick(const uint32_t *eligible, size_t count,                 \
                                                           const uint32_t *busy, size_t busy_count,                \
                                                           uint32_t has_affinity, uint32_t affinity) {             \
    static tidegate::Option picked = tidegate::none;                                                               \
    auto hash = has_affinity ? tidegate::Option(affinity) : tidegate::Option(tidegate::none);                      \
    picked = tidegate_balancer.pick({eligible, count}, {busy, busy_count}, hash);                                  \
    tidegate::release();                                                                                           \
    return &picked;                                                                                                \
  }                                                                                                                \
  }

#else  // for tests

#include <stdio.h>

namespace tidegate {

inline void log(Level level, Text line) {
  static const char *const names[] = {"debug", "info", "warn", "error"};
  fprintf(stderr, "%s: %.*s\n", names[size_t(level)], int(line.length), line.at);
}

}  // namespace tidegate

#define TIDEGATE_BALANCER(Class) static_assert(sizeof(Class) > 0, "a class that is whole")

#endif
