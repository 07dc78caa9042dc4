/* io/csv_first.c: what the first row is: data, names, or the summary of scikit-learn's files.  The rules are those of
 * .header of nnb_csv_opts in core.h. */
#include <string.h>

#include "alloc.h"
#include "csv_layout.h"
#include "decimal.h"
#include "status.h"
#include "text.h"

nnb__csv_kind nnb__csv_kind_of(const nnb__csv *csv, const nnb__csv_field *field) {
  double value;
  if (field->n == 0) return NNB__CSV_EMPTY;
  if (nnb__csv_is_missing(field)) return NNB__CSV_ODD;
  switch (nnb__decimal(field->text, field->n, csv->point, &value)) {
    case NNB__DECIMAL:
      return NNB__CSV_NUMBER;
    case NNB__NOT_FINITE:
      return NNB__CSV_ODD;
    case NNB__NOT_DECIMAL:
      break;
  }
  return NNB__CSV_TEXT;
}

bool nnb__csv_shows_kind(nnb__csv_kind kind) { return kind == NNB__CSV_NUMBER || kind == NNB__CSV_TEXT; }

/* ---- the first two rows ------------------------------------------------------------------------------------------ */

typedef struct sample {
  nnb__csv_kind *kinds[2];
  size_t *at; /* where the fields of the first row begin */
  int n[2];   /* fields; 0: there is no such row */
} sample;

static bool keep_head(nnb__csv_layout *l, sample *s, const nnb__csv_row *row) {
  l->head = nnb__zalloc((size_t)row->n, sizeof *l->head);
  s->at = nnb__alloc((size_t)row->n, sizeof *s->at);
  if (!l->head || !s->at) return false;
  l->n_head = row->n;
  for (int c = 0; c < row->n; c++) {
    const nnb__csv_field *field = &row->field[c];
    s->at[c] = field->at;
    l->head[c] = nnb__alloc(field->n + 1, 1);
    if (!l->head[c]) return false;
    memcpy(l->head[c], field->text, field->n);
    l->head[c][field->n] = '\0';
  }
  return true;
}

static nnb_status read_sample(nnb__csv_layout *l, sample *s) {
  nnb__csv_row row = {.csv = l->csv, .next = l->csv->start};
  bool more = true;
  nnb_status status = NNB_OK;
  for (int i = 0; i < 2 && !status; i++) {
    status = nnb__csv_next(&row, &more);
    if (status || !more) break;
    s->n[i] = row.n;
    s->kinds[i] = nnb__alloc((size_t)row.n, sizeof *s->kinds[i]);
    if (!s->kinds[i] || (i == 0 && !keep_head(l, s, &row))) status = nnb__fail_nomem("the first rows");
    if (i == 0) l->first_end = row.next;
    for (int c = 0; c < row.n && !status; c++) s->kinds[i][c] = nnb__csv_kind_of(l->csv, &row.field[c]);
  }
  nnb__csv_row_clear(&row);
  return status;
}

static void sample_clear(sample *s) {
  nnb__release(s->kinds[0]);
  nnb__release(s->kinds[1]);
  nnb__release(s->at);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

enum { ROWS_BELOW = 100 }; /* the rows that are looked at for names */

/* What the fields of the first row show. */
typedef struct shown {
  int texts, odd;
  bool number; /* also one that is out of range */
} shown;

static shown count_kinds(const nnb__csv_layout *l, const sample *s) {
  shown n = {0};
  for (int c = 0; c < s->n[0]; c++) {
    const nnb__csv_kind kind = s->kinds[0][c];
    n.texts += kind == NNB__CSV_TEXT;
    n.odd += kind == NNB__CSV_ODD;
    n.number |= nnb__csv_is_number(kind, l->head[c]);
  }
  return n;
}

/* What the rows below the first one have. */
typedef struct below {
  nnb__csv_kind *kind; /* the first value that a column shows; NNB__CSV_EMPTY: none yet */
  nnb__table *texts;   /* of each column */
  bool number;         /* a text of the first row is above a number */
  bool again;          /* a field of the first row occurs again in its column */
  int rows;
} below;

static bool see_field(const nnb__csv_layout *l, const sample *s, below *b, int c, const nnb__csv_field *field) {
  const nnb__csv_kind kind = nnb__csv_kind_of(l->csv, field);
  if (!nnb__csv_shows_kind(b->kind[c])) {
    b->kind[c] = kind;
    b->number |= kind == NNB__CSV_NUMBER && s->kinds[0][c] == NNB__CSV_TEXT;
  }
  if (kind != NNB__CSV_TEXT) return true;
  b->again |= field->n == strlen(l->head[c]) && memcmp(field->text, l->head[c], field->n) == 0;
  return nnb__table_find(&b->texts[c], field->text, field->n) >= 0 ||
         nnb__table_add(&b->texts[c], field->text, field->n) >= 0;
}

/* Ends at the first error of the text, which is met again when all rows are read. */
static nnb_status see_rows(const nnb__csv_layout *l, const sample *s, below *b) {
  nnb__csv_row row = {.csv = l->csv, .next = l->first_end};
  bool more, memory = true;
  nnb_status status = NNB_OK;
  while (memory && !b->number && !b->again && b->rows < ROWS_BELOW && !(status = nnb__csv_next(&row, &more)) && more) {
    for (int c = 0; c < row.n && c < s->n[0] && memory; c++) memory = see_field(l, s, b, c, &row.field[c]);
    b->rows++;
  }
  nnb__csv_row_clear(&row);
  if (status == NNB_E_NOMEM) return status;
  return memory ? NNB_OK : nnb__fail_nomem("the first rows");
}

/* Names of columns of texts alone: none is in its column, and some column repeats few texts.  A first row with a
 * missing word may be data. */
static bool stand_apart(const sample *s, const below *b) {
  bool repeats = false;
  for (int c = 0; c < s->n[0]; c++) {
    if (b->kind[c] == NNB__CSV_NUMBER) return false;
    repeats |= b->texts[c].n > 0 && 4 * b->texts[c].n <= (size_t)b->rows;
  }
  return repeats && !b->again;
}

static nnb_status look_for_names(const nnb__csv_layout *l, const sample *s, bool *names) {
  const size_t n = (size_t)s->n[0];
  const shown first = count_kinds(l, s);
  *names = false;
  if (first.number || (first.odd > 0 && first.odd >= first.texts)) return NNB_OK;
  below b = {.kind = nnb__zalloc(n, sizeof *b.kind), .texts = nnb__zalloc(n, sizeof *b.texts)};
  nnb_status status = b.kind && b.texts ? see_rows(l, s, &b) : nnb__fail_nomem("the first rows");
  if (!status) *names = b.number || (first.odd == 0 && stand_apart(s, &b));
  for (size_t c = 0; b.texts && c < n; c++) nnb__table_clear(&b.texts[c]);
  nnb__release(b.texts);
  nnb__release(b.kind);
  return status;
}

/* ---- the summary ------------------------------------------------------------------------------------------------- */

bool nnb__csv_is_count(const nnb__csv_layout *l, int c, int wanted) {
  char text[16];
  snprintf(text, sizeof text, "%d", wanted);
  return strcmp(l->head[c], text) == 0;
}

/* Two counts, the second of them the inputs of the second row, and at least two texts, above numbers only. */
static bool looks_like_summary(const nnb__csv_layout *l, const sample *s) {
  if (s->n[0] < 4 || s->n[1] < 2 || s->kinds[0][0] != NNB__CSV_NUMBER || !nnb__csv_is_count(l, 1, s->n[1] - 1))
    return false;
  for (int c = 2; c < s->n[0]; c++)
    if (s->kinds[0][c] != NNB__CSV_TEXT) return false;
  for (int c = 0; c < s->n[1]; c++)
    if (s->kinds[1][c] != NNB__CSV_NUMBER) return false;
  return true;
}

static nnb_status check_head(const nnb__csv_layout *l, const sample *s) {
  for (int c = 0; c < l->n_head && l->first != NNB__CSV_DATA; c++)
    if (!nnb__is_utf8(l->head[c], strlen(l->head[c]))) return nnb__csv_fail(l->csv, s->at[c], "the name is not UTF-8");
  return NNB_OK;
}

static nnb_status decide_first(nnb__csv_layout *l, const sample *s) {
  const nnb_csv_opts *o = l->opts;
  if (s->n[0] == 0) return nnb__fail(NNB_E_PARSE, "%s: no rows of data", l->csv->name);
  bool names = o->header == 1 || (o->header == 0 && nnb__csv_by_name(o));
  const nnb_status status = o->header || names ? NNB_OK : look_for_names(l, s, &names);
  if (status) return status;
  if (names)
    l->first = NNB__CSV_NAMES;
  else if (o->header == 0 && looks_like_summary(l, s))
    l->first = NNB__CSV_SUMMARY;
  if (l->first != NNB__CSV_DATA && s->n[1] == 0) return nnb__fail(NNB_E_PARSE, "%s: no rows of data", l->csv->name);
  l->columns = l->first == NNB__CSV_SUMMARY ? s->n[1] : s->n[0];
  return check_head(l, s);
}

nnb_status nnb__csv_decide_first(nnb__csv_layout *l) {
  sample s = {0};
  nnb_status status = read_sample(l, &s);
  if (!status) status = decide_first(l, &s);
  sample_clear(&s);
  return status;
}
