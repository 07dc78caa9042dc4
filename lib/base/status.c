/* base/status.c: the status list as text, the thread's last message, the version. */
#include "status.h"

#undef nnb__fail /* of the analyser */
#undef nnb__fail_nomem

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "text.h"

enum { LONGEST = 8192, TAIL = 300 }; /* a path has 4096 bytes at most */
static _Thread_local char message[NNB__MESSAGE];
static _Thread_local unsigned count;

#define STRING2(x) #x
#define STRING(x)  STRING2(x)

const char *nnb_version(void) {
  return STRING(NNB_VERSION_MAJOR) "." STRING(NNB_VERSION_MINOR) "." STRING(NNB_VERSION_PATCH);
}

const char *nnb_strstatus(nnb_status status) {
  switch (status) {
#define CASE(name, value, text) \
  case name:                    \
    return text;
    NNB_STATUS_LIST(CASE)
#undef CASE
  }
  return "unknown status";
}

const char *nnb_errmsg(void) { return message; }

/* The index of the first byte, from i on, that starts a UTF-8 character. */
static size_t character(const char *text, size_t i) {
  while (((unsigned char)text[i] & 0xC0) == 0x80) i++;
  return i;
}

static nnb_status fail(nnb_status status, const char *format, va_list args) {
  char text[LONGEST]; /* separate memory, because an argument may be the old message */
  nnb__vformat(text, sizeof text, format ? format : "", args);
  size_t n = strlen(text);
  if (n < sizeof message) {
    memcpy(message, text, n + 1);
  } else {
    size_t head = sizeof message - TAIL - 8;
    while (head > 0 && ((unsigned char)text[head] & 0xC0) == 0x80) head--;
    snprintf(message, sizeof message, "%.*s…%s", (int)head, text, text + character(text, n - TAIL));
  }
  count++;
  return status;
}

unsigned nnb__fail_count(void) { return count; }

nnb_status nnb__fail_callback(nnb_status status, const char *what, unsigned before) {
  if (status > 0) return nnb__fail(NNB_E_ARG, "%s returned %d; wanted NNB_OK or a negative status", what, (int)status);
  if (count != before) return status;
  return nnb__fail(status, "%s returned %d (%s)", what, (int)status, nnb_strstatus(status));
}

nnb_status nnb__fail(nnb_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail(status, format, args);
  va_end(args);
  return status;
}

nnb_status nnb_layer_fail(nnb_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail(status, format, args);
  va_end(args);
  return status;
}

nnb_status nnb__fail_errno(const char *path, const char *doing, int error) {
  char reason[128];
  if (strerror_r(error, reason, sizeof reason) != 0) snprintf(reason, sizeof reason, "error %d", error);
  return nnb__fail(error == ENOMEM ? NNB_E_NOMEM : NNB_E_IO, "%s: %s failed: %s", path, doing, reason);
}

nnb_status nnb__fail_nomem(const char *what) { return nnb__fail(NNB_E_NOMEM, "out of memory: %s", what); }
