/* base/status.c: the status list as text, the thread's last message, the version. */
#include "status.h"

#include <stdarg.h>
#include <string.h>

enum { MESSAGE_BYTES = 512 };
static _Thread_local char message[MESSAGE_BYTES];

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

static nnb_status fail(nnb_status status, const char *format, va_list args) {
  char text[MESSAGE_BYTES]; /* an argument may be the old message */
  vsnprintf(text, sizeof text, format, args);
  memcpy(message, text, sizeof text);
  return status;
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

nnb_status nnb__fail_nomem(const char *what) { return nnb__fail(NNB_E_NOMEM, "out of memory: %s", what); }
