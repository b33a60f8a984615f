// A balancer of the contract tidegate:plugin@0.1.0 (wit/balancer.wit) in C, with or without a C library.
//
// Write tg_configure and tg_pick; this file makes them exports of the module. Include it in one source file. Compiled
// for this machine it makes tests: nothing is exported, and log lines go to standard error.
#ifndef TIDEGATE_H
#define TIDEGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// UTF-8, not ended by 0.
typedef struct { const char *at; size_t length; } tg_text;

typedef struct { tg_text key, value; } tg_label;

// A member of the cluster. Its id is its index in the array that tg_configure is given.
typedef struct {
  tg_text name;       // "ws://10.0.0.7:8080"
  uint32_t weight;    // in hundredths: 100 is 1.0; 1 to 10,000
  uint32_t group;     // lower groups are used first; the gateway sees to that
  bool has_route;     // whether route is there
  tg_text route;      // sticky route
  const tg_label *labels;
  size_t label_count;
} tg_endpoint;

enum { TG_NONE = -1 };

// ---- what you write

// Called once, before anything else. config is the operator's, as JSON text: "null" if there is none. All that it is
// given stays valid for the life of the instance. Refuses the configuration by tg_refuse.
static void tg_configure(tg_text config, const tg_endpoint *endpoints, size_t count);

// Chooses one of eligible (ids, ascending, count > 0) and returns it; TG_NONE sends the client away with 503. busy[i]
// is what eligible[i] holds now: both are read at the same i, never busy by an id. affinity is a 31-bit hash of what the cluster keeps together, or TG_NONE.
static int64_t tg_pick(const uint32_t *eligible, const uint32_t *busy, size_t count, int64_t affinity);

// ---- what you may call

typedef enum { TG_DEBUG, TG_INFO, TG_WARN, TG_ERROR } tg_level;

// A line in the gateway's log, in UTF-8.
static inline void tg_log(tg_level level, const char *line);

// Says that the configuration is wrong. path points into it (RFC 6901: "/limits/0"), "" is the whole of it. Texts must
// outlive the call. The first eight are reported.
static inline void tg_refuse(const char *path, const char *message);

// Memory until the end of this call of tg_pick; for good in tg_configure. alignment is a power of two.
static inline void *tg_allocate(size_t size, size_t alignment);

// Ends the call with a line in the log if condition does not hold. The gateway makes a fresh instance.
#define TG_ASSERT(condition) ((condition) ? (void)0 : tg_fail(__FILE__, __LINE__, #condition))

static inline size_t tg_length(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

static inline bool tg_is(tg_text text, const char *expected) {
  if (text.length != tg_length(expected)) return false;
  for (size_t i = 0; i < text.length; i++) {
    if (text.at[i] != expected[i]) return false;
  }
  return true;
}

// ---- how it works; nothing below here has to be read

typedef struct { tg_text path, message; } tg_config_error;

static struct { tg_config_error list[8]; size_t count; } tg_errors;

static inline void tg_refuse(const char *path, const char *message) {
  if (tg_errors.count == sizeof tg_errors.list / sizeof *tg_errors.list) return;
  tg_errors.list[tg_errors.count++] =
      (tg_config_error){{path, tg_length(path)}, {message, tg_length(message)}};
}

static inline _Noreturn void tg_fail(const char *file, int line, const char *condition) {
  char text[256], digits[12];
  size_t end = 0, count = 0;
  do digits[count++] = (char)('0' + line % 10); while (line /= 10);
  const char *parts[] = {file, ":", 0, ": this does not hold: ", condition};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    for (const char *from = parts[i]; from && *from && end < sizeof text - 1;) text[end++] = *from++;
    while (!parts[i] && count && end < sizeof text - 1) text[end++] = digits[--count];
  }
  // A text that was cut may end within a character, and the log takes whole ones.
  if (end == sizeof text - 1) {
    while (end > 0 && (text[end - 1] & 0x80)) end--;
  }
  text[end] = 0;
  tg_log(TG_ERROR, text);
  __builtin_trap();
}

#ifdef __wasm__

__attribute__((import_module("tidegate"), import_name("log")))
void tg_import_log(uint32_t level, const char *at, size_t length);

static inline void tg_log(tg_level level, const char *line) { tg_import_log(level, line, tg_length(line)); }

#ifdef __wasi__ // with a C library: above the variables is what malloc gives away

#include <stdlib.h>

// Each allocation is behind a header with the one before; freed when tg_pick returns.
typedef struct tg_block { struct tg_block *before; _Alignas(16) unsigned char content[]; } tg_block;
static tg_block *tg_taken;

static inline void *tg_allocate(size_t size, size_t alignment) {
  if (alignment > 16 || size > SIZE_MAX - sizeof(tg_block)) __builtin_trap();
  tg_block *block = malloc(sizeof(tg_block) + size);
  if (!block) __builtin_trap();
  block->before = tg_taken;
  tg_taken = block;
  return block->content;
}

static inline void tg_keep(void) { tg_taken = NULL; }

static inline void tg_free(void) {
  while (tg_taken) {
    tg_block *before = tg_taken->before;
    free(tg_taken);
    tg_taken = before;
  }
}

#else

// Arguments are placed one behind the other above the variables, and each pick starts over behind what tg_configure
// was given: nothing is ever freed, and nothing grows.
extern unsigned char __heap_base;
static uintptr_t tg_top, tg_bottom;

static inline void *tg_allocate(size_t size, size_t alignment) {
  if (!tg_top) tg_top = tg_bottom = (uintptr_t)&__heap_base;
  uintptr_t at = (tg_top + alignment - 1) & ~(alignment - 1);
  uintptr_t memory = __builtin_wasm_memory_size(0) * 65536;
  if (at < tg_top || size > UINTPTR_MAX - at) __builtin_trap();
  if (at + size > memory) {
    size_t pages = (at + size - memory + 65535) / 65536;
    if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) __builtin_trap();
  }
  tg_top = at + size;
  return (void *)at;
}

static inline void tg_keep(void) { tg_bottom = tg_top; }

static inline void tg_free(void) { tg_top = tg_bottom; }

#endif

// The gateway asks for 0 bytes, too, and never frees.
__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size) {
  if (size == 0) return (void *)alignment;
  if (size <= old_size) return old;
  unsigned char *fresh = tg_allocate(size, alignment);
  if (old_size) __builtin_memcpy(fresh, old, old_size);
  return fresh;
}

// Layouts of the canonical ABI.
_Static_assert(sizeof(tg_endpoint) == 36, "name, weight, group, option<route>, labels");
_Static_assert(sizeof(tg_config_error) == 16, "path, message");
static struct { uint8_t is_error; const tg_config_error *errors; size_t count; } tg_configured;
static struct { uint8_t is_some; uint32_t id; } tg_picked;

__attribute__((export_name("configure")))
void *tg_export_configure(const char *config, size_t length, const tg_endpoint *endpoints, size_t count) {
  tg_errors.count = 0;
  tg_configure((tg_text){config, length}, endpoints, count);
  tg_keep();
  tg_configured.is_error = tg_errors.count > 0;
  tg_configured.errors = tg_errors.list;
  tg_configured.count = tg_errors.count;
  return &tg_configured;
}

__attribute__((export_name("pick")))
void *tg_export_pick(const uint32_t *eligible, size_t count, const uint32_t *busy, size_t busy_count,
                     uint32_t has_affinity, uint32_t affinity) {
  (void)busy_count; // the same as count
  int64_t id = tg_pick(eligible, busy, count, has_affinity ? (int64_t)affinity : TG_NONE);
  tg_free();
  tg_picked.is_some = id != TG_NONE;
  tg_picked.id = (uint32_t)id;
  return &tg_picked;
}

#else // for tests

#include <stdio.h>
#include <stdlib.h>

static inline void tg_log(tg_level level, const char *line) {
  static const char *const names[] = {"debug", "info", "warn", "error"};
  fprintf(stderr, "%s: %s\n", names[level], line);
}

static inline void *tg_allocate(size_t size, size_t alignment) {
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

#endif
#endif
