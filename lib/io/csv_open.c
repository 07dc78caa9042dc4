/* io/csv_open.c: data whose rows stay in a CSV file.  Two passes at opening find out what reading into memory would,
 * and the places of some rows; a row is then found from the place before it. */
#include "real.h"
/* the precision first */
#include <stdatomic.h>

#include "alloc.h"
#include "csv_rows.h"
#include "data.h"
#include "status.h"

/* Every stride-th row has a mark; with too many of them each second one goes. */
enum { FIRST_STRIDE = 64, READERS = 2 };

/* Reads rows for one call at a time. */
typedef struct reader {
  atomic_flag busy;
  nnb__csv csv;
  nnb__csv_row row;
  int next; /* the row behind it */
} reader;

typedef struct table {
  nnb__file file;
  nnb_csv_opts opts; /* lists of the caller's are used while the table is opened only */
  nnb__csv csv;
  nnb__csv_layout layout;
  size_t *mark; /* the places behind which rows 0, stride, … begin */
  size_t n_marks, cap_marks;
  int stride;
  size_t doubled; /* bytes for the fields of a row that have doubled quotation marks */
  reader readers[READERS];
} table;

static void reader_clear(reader *r) {
  nnb__csv_row_clear(&r->row);
  nnb__csv_end(&r->csv);
}

static void table_close(void *user) {
  table *tab = user;
  for (int i = 0; i < READERS; i++) reader_clear(&tab->readers[i]);
  nnb__csv_layout_clear(&tab->layout);
  nnb__csv_end(&tab->csv);
  nnb__file_close(&tab->file);
  nnb__release(tab->mark);
  nnb__release(tab);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Not yet at a row; without memory. */
static void reader_init(const table *tab, reader *r) {
  r->csv = tab->csv;
  r->csv.text = r->csv.buffer = NULL, r->csv.bytes = r->csv.cap = 0;
  r->row = (nnb__csv_row){.csv = &r->csv};
  r->next = INT32_MAX;
}

/* A reader that no other thread has: `spare` if there is none, as in a process that was forked while they were busy. */
static reader *take_reader(table *tab, reader *spare) {
  for (int i = 0; i < READERS; i++)
    if (!atomic_flag_test_and_set(&tab->readers[i].busy)) return &tab->readers[i];
  reader_init(tab, spare);
  return spare;
}

static void give_back(reader *r, reader *spare) {
  if (r == spare)
    reader_clear(spare);
  else
    atomic_flag_clear(&r->busy);
}

/* The next row of the file. */
static nnb_status advance(const table *tab, reader *r) {
  bool more;
  nnb_status status = nnb__csv_next(&r->row, &more);
  if (status) return status;
  if (!more) return nnb__fail(NNB_E_IO, "%s: reading failed: the file has become shorter", tab->csv.name);
  r->next++;
  return nnb__csv_check_row(&tab->layout, &r->row);
}

/* Row row0 will be the next. */
static nnb_status seek(const table *tab, reader *r, int row0) {
  const int k = row0 / tab->stride;
  nnb_status status = NNB_OK;
  r->row.number = 0;
  if (r->next > row0 || r->next < k * tab->stride) r->row.next = tab->mark[k], r->next = k * tab->stride;
  while (r->next < row0 && !status) status = advance(tab, r);
  return status;
}

static nnb_status read_rows(table *tab, reader *r, int row0, int n, const nnb_rows *to) {
  nnb_status status = seek(tab, r, row0);
  for (int i = 0; i < n && !status; i++) {
    const size_t k = (size_t)i;
    status = advance(tab, r);
    if (!status)
      status = nnb__csv_read_row(&tab->layout, &r->row, NULL, to->x.p + k * (size_t)to->x.ld,
                                 to->t.p ? to->t.p + k * (size_t)to->t.ld : NULL, to->label ? to->label + k : NULL);
  }
  if (status) r->next = INT32_MAX;
  return status;
}

static nnb_status read_source(void *user, int64_t row0, int n, const nnb_rows *rows) {
  table *tab = user;
  reader spare, *r = take_reader(tab, &spare);
  nnb_status status = read_rows(tab, r, (int)row0, n, rows);
  give_back(r, &spare);
  return nnb__file_confirm(&tab->file, status);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Row i begins behind this place. */
static bool add_mark(table *tab, int i, size_t place) {
  if (i % tab->stride != 0) return true;
  if (tab->n_marks == nnb__csv_marks) {
    tab->n_marks /= 2, tab->stride *= 2;
    for (size_t k = 0; k < tab->n_marks; k++) tab->mark[k] = tab->mark[2 * k];
  }
  if (!nnb__grow(&tab->mark, &tab->cap_marks, tab->n_marks + 1, sizeof *tab->mark)) return false;
  tab->mark[tab->n_marks++] = place;
  return true;
}

/* The second pass: every row is read into the same places. */
static nnb_status see_row(table *tab, const nnb__csv_row *row, nnb__csv_tally *tally, real *x, real *t) {
  int32_t label;
  return nnb__csv_read_row(&tab->layout, row, tally, x, t, &label);
}

static nnb_status see_rows(table *tab, nnb__csv_tally *tally, real *x, real *t) {
  nnb__csv_row row = {.csv = &tab->csv, .next = tab->csv.start};
  const int skip = tab->layout.first != NNB__CSV_DATA;
  nnb_status status = NNB_OK;
  for (bool more = true; more && !status;) {
    const size_t place = row.next;
    status = nnb__csv_next(&row, &more);
    if (status || !more || row.number <= skip) continue;
    if (!add_mark(tab, row.number - skip - 1, place)) status = nnb__fail_nomem(tab->csv.name);
    if (!status) status = nnb__csv_check_row(&tab->layout, &row);
    if (!status) status = see_row(tab, &row, tally, x, t);
  }
  if (!status && row.number - skip != tab->layout.rows)
    status = nnb__fail(NNB_E_IO, "%s: reading failed: the file has changed since it was opened", tab->csv.name);
  tab->doubled = row.cap_copy;
  nnb__csv_row_clear(&row);
  return status;
}

static nnb_status find(table *tab, nnb__csv_found *found) {
  const nnb__csv_layout *l = &tab->layout;
  nnb__csv_tally tally = {0};
  real *x = nnb__alloc((size_t)nnb__csv_n_in(l), sizeof *x), *t = nnb__alloc((size_t)l->n_targets, sizeof *t);
  nnb_status status = x && t ? see_rows(tab, &tally, x, t) : nnb__fail_nomem(tab->csv.name);
  if (!status) status = nnb__csv_find(&tab->layout, &tally, found);
  nnb__release(x);
  nnb__release(t);
  return status;
}

/* What the readers need for the rows that were seen; the window of the passes is released. */
static nnb_status make_readers(table *tab) {
  for (int i = 0; i < READERS; i++) {
    reader *r = &tab->readers[i];
    reader_init(tab, r);
    if (!nnb__grow(&r->csv.buffer, &r->csv.cap, tab->csv.window, 1) ||
        !nnb__grow(&r->row.field, &r->row.cap, (size_t)tab->layout.columns, sizeof *r->row.field) ||
        !nnb__grow(&r->row.copy, &r->row.cap_copy, tab->doubled, 1))
      return nnb__fail_nomem(tab->csv.name);
  }
  nnb__csv_end(&tab->csv);
  return NNB_OK;
}

static nnb_status open_table(table *tab, const char *path, nnb__csv_found *found) {
  nnb_status status = nnb__file_open(&tab->file, path);
  if (status) return status;
  if (tab->file.size > SIZE_MAX) return nnb__fail(NNB_E_OVERFLOW, "%s is too large for the address space", path);
  tab->csv = (nnb__csv){.name = tab->file.path, .file = &tab->file};
  status = nnb__csv_open_text(&tab->csv, &tab->opts);
  if (!status) status = nnb__csv_layout_init(&tab->layout, &tab->csv, &tab->opts);
  if (!status) status = find(tab, found);
  status = nnb__file_confirm(&tab->file, status);
  return status ? status : make_readers(tab);
}

static nnb_status make_data(table *tab, nnb__csv_found *found, nnb_data **out) {
  const nnb__csv_layout *l = &tab->layout;
  const nnb_source source = {.rows = l->rows,
                             .n_in = nnb__csv_n_in(l),
                             .n_out = nnb__csv_n_targets(l),
                             .n_classes = found->n_classes,
                             .ahead = true,
                             .user = tab,
                             .read = read_source};
  nnb_columns *columns = nnb__columns_copy(l->encoding);
  nnb_status status = columns ? nnb_data_from_source(&source, out) : nnb__fail_nomem("the columns");
  if (status) {
    nnb__columns_destroy(columns);
    return status;
  }
  (*out)->column_names = found->column_names, (*out)->class_names = found->class_names;
  found->column_names = found->class_names = NULL;
  nnb__csv_describe(*out, found);
  (*out)->columns = columns;
  status = nnb__csv_fill_missing(l, *out);
  for (int i = 0; i < columns->n; i++) l->encoding->column[i].mean = columns->column[i].mean;
  if (status)
    nnb_data_destroy(*out), *out = NULL;
  else
    (*out)->close = table_close;
  return status;
}

nnb_status nnb_data_open_csv(const char *path, const nnb_csv_opts *opts, nnb_data **out) {
  if (!out) return nnb__fail(NNB_E_ARG, "out is NULL");
  *out = NULL;
  if (!path) return nnb__fail(NNB_E_ARG, "path is NULL");
  nnb__csv_found found = {0};
  table *tab = nnb__zalloc(1, sizeof *tab);
  if (!tab) return nnb__fail_nomem(path);
  tab->file.fd = -1, tab->stride = FIRST_STRIDE;
  for (int i = 0; i < READERS; i++) atomic_flag_clear(&tab->readers[i].busy);
  if (opts) tab->opts = *opts;
  nnb_status status = open_table(tab, path, &found);
  if (!status) status = make_data(tab, &found, out);
  nnb__csv_found_clear(&found);
  if (status) table_close(tab);
  return status;
}
