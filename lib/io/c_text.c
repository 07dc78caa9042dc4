/* io/c_text.c */
#include "c_text.h"

#include <assert.h>
#include <string.h>

#include "alloc.h"
#include "status.h"
#include "text.h"

enum { MOST = 4096 };

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool is_name(const char *name) {
  size_t n = strlen(name);
  bool good = n < NNB__C_NAME && is_letter(name[0]);
  for (size_t i = 0; i < n && good; i++)
    good = is_letter(name[i]) || name[i] == '_' || (name[i] >= '0' && name[i] <= '9');
  return good;
}

nnb_status nnb__c_text_init(nnb__c_text *out, const char *name, bool single, const char *weight) {
  char shown[NNB__SHOWN_TEXT];
  *out = (nnb__c_text){.single = single, .weight = weight};
  if (!is_name(name))
    return nnb__fail(
        NNB_E_ARG, "name is \"%s\"; wanted a letter followed by letters, digits and underscores, at most %d characters",
        nnb__show(name, strlen(name), shown), NNB__C_NAME - 1);
  for (size_t i = 0; name[i]; i++) {
    out->name[i] = name[i];
    out->capitals[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A') : name[i];
  }
  return NNB_OK;
}

void nnb__c_text_clear(nnb__c_text *out) {
  nnb__release(out->p);
  *out = (nnb__c_text){0};
}

/* What the characters at the start of text stand for, *n of them; NULL: themselves. */
static const char *meaning(const nnb__c_text *out, const char *text, size_t *n) {
  *n = text[0] == '@' && text[1] == '@' ? 2 : 1;
  switch (text[0]) {
    case '@':
      return *n == 2 ? out->capitals : out->name;
    case '$':
      return out->single ? "float" : "double";
    case '^':
      return out->weight;
    case '`':
      return out->single ? "1.17549435e-38f" : "2.2250738585072014e-308";
    case '~':
      return out->single ? "f" : "";
    default:
      *n = strcspn(text, "@$^`~");
      return NULL;
  }
}

static void append(nnb__c_text *out, const char *text, size_t n) {
  if (!out->status && !nnb__grow(&out->p, &out->cap, out->n + n + 1, 1)) out->status = nnb__fail_nomem("the C source");
  if (out->status) return;
  memcpy(out->p + out->n, text, n);
  out->n += n;
  out->p[out->n] = '\0';
}

void nnb__c_text_join(nnb__c_text *out, const nnb__c_text *more) { append(out, more->p, more->n); }

void nnb__c_paste(nnb__c_text *out, const char *text) {
  for (size_t n; *text; text += n) {
    const char *word = meaning(out, text, &n);
    append(out, word ? word : text, word ? strlen(word) : n);
  }
}

void nnb__c_put(nnb__c_text *out, const char *format, ...) {
  char text[MOST];
  va_list args;
  va_start(args, format);
  int bytes = nnb__vformat(text, sizeof text, format, args);
  va_end(args);
  assert(bytes >= 0 && bytes < MOST);
  if (bytes < MOST) nnb__c_paste(out, text);
}

void nnb__c_put_number(nnb__c_text *out, double value) {
  char text[NNB__DOUBLE_TEXT];
  if (out->single)
    nnb__format(text, sizeof text, "%.9g", value);
  else
    nnb__double_to_text(value, text);
  append(out, text, strlen(text));
  if (!strpbrk(text, ".e")) append(out, ".0", 2);
  if (out->single) append(out, "f", 1);
}
