/* train/space.c: the space of nnb_search as text, and its combinations.  Compiled once. */
#include "space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "nearest.h"
#include "status.h"
#include "text.h"

enum { DEFAULT_POINTS = 5, MOST_POINTS = 10000, DIGITS = 4 };

static const char blanks[] = " \t\r\n", layers_name[] = "layers", activation_name[] = "activation";

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* text without the blanks around it. */
static char *trim(char *text) {
  text += strspn(text, blanks);
  size_t n = strlen(text);
  while (n > 0 && strchr(blanks, text[n - 1])) text[--n] = '\0';
  return text;
}

/* The piece of *rest up to one of the separators, trimmed; *rest ← what follows, or NULL. */
static char *cut(char **rest, const char *separators) {
  char *piece = *rest, *end = piece + strcspn(piece, separators);
  *rest = *end ? end + 1 : NULL;
  *end = '\0';
  return trim(piece);
}

static const nnb__option *find_option(const char *name) {
  const nnb__option *o;
  for (int i = 0; (o = nnb__option_at(NNB__FIT_OPTS, i)); i++)
    if (strcmp(o->name, name) == 0) return o;
  return NULL;
}

static nnb_status no_item(const char *name) {
  char shown[NNB__SHOWN_TEXT], hint[NNB__HINT];
  const nnb__option *o;
  nnb__nearest nearest = {0};
  nnb__nearest_try(&nearest, name, strlen(name), layers_name);
  nnb__nearest_try(&nearest, name, strlen(name), activation_name);
  for (int i = 0; (o = nnb__option_at(NNB__FIT_OPTS, i)); i++)
    if (o->type != NNB__TYPE_CODE) nnb__nearest_try(&nearest, name, strlen(name), o->name);
  return nnb__fail(NNB_E_PARSE, "space: %s is not layers, activation or an option of a fit%s",
                   nnb__show(name, strlen(name), shown), nnb__nearest_hint(&nearest, hint));
}

static nnb_status set_option(const char *name, const char *value, nnb_fit_opts *opts) {
  char text[160];
  const int n = snprintf(text, sizeof text, "%s=%s", name, value);
  if (n >= (int)sizeof text) return nnb__fail(NNB_E_PARSE, "space: a value of %s is too long", name);
  return nnb__opts_parse(NNB__FIT_OPTS, text, opts);
}

/* Whether a value of a list can be meant; layers are read when the net is made. */
static nnb_status check_value(const nnb__item *item, const char *value) {
  nnb_fit_opts opts = {0};
  nnb_activation activation;
  if (!*value) return nnb__fail(NNB_E_PARSE, "space: %s has an empty value", item->name);
  if (item->option) return set_option(item->name, value, &opts);
  if (strcmp(item->name, activation_name) == 0 && !nnb_activation_find(value, &activation))
    return nnb__fail(NNB_E_PARSE, "space: %s", nnb_errmsg());
  return NNB_OK;
}

static nnb_status read_list(nnb__item *item, char *values) {
  size_t capacity = 0;
  nnb_status status = NNB_OK;
  for (char *rest = values; rest && !status;) {
    if (!nnb__grow(&item->value, &capacity, (size_t)item->n + 1, sizeof *item->value))
      return nnb__fail_nomem("the space of a search");
    char *value = cut(&rest, ",|");
    status = check_value(item, value);
    item->value[item->n++] = value;
  }
  return status;
}

static void show_number(const nnb__item *item, double x, char out[NNB__DOUBLE_TEXT]) {
  nnb__format(out, NNB__DOUBLE_TEXT, item->whole ? "%.0f" : "%.15g", x);
}

static nnb_status check_range(const nnb__item *item) {
  const char *name = item->name;
  const nnb__option_type type = item->option ? item->option->type : NNB__TYPE_CODE;
  char text[NNB__DOUBLE_TEXT];
  nnb_fit_opts opts = {0};
  if (type != NNB__TYPE_REAL && !item->whole)
    return nnb__fail(NNB_E_PARSE, "space: %s has no numbers; wanted a list of values, not a range", name);
  if (!(item->from < item->to) || !isfinite(item->to - item->from))
    return nnb__fail(NNB_E_PARSE, "space: %s: %g..%g; wanted a lower number before a higher one", name, item->from,
                     item->to);
  if (item->log && !(item->from > 0))
    return nnb__fail(NNB_E_PARSE, "space: %s: a logarithmic range begins above 0, not at %g", name, item->from);
  show_number(item, item->from, text);
  nnb_status status = set_option(name, text, &opts);
  show_number(item, item->to, text);
  return status ? status : set_option(name, text, &opts);
}

/* "LOW..HIGH", "log" and the number of points in a grid, in that order; dots: where the ".." is. */
static nnb_status read_range(nnb__item *item, char *values, char *dots) {
  char *rest = dots + 2, *end;
  *dots = '\0';
  rest = trim(rest);
  char *high = cut(&rest, blanks), *word = rest ? cut(&rest, blanks) : NULL;
  bool good = nnb__text_to_double(trim(values), &item->from) && nnb__text_to_double(high, &item->to);
  if (word && strcmp(word, "log") == 0) item->log = true, word = rest ? cut(&rest, blanks) : NULL;
  item->points = DEFAULT_POINTS;
  if (word && good) {
    const long n = strtol(word, &end, 10);
    good = end != word && !*end && n >= 2 && n <= MOST_POINTS && !rest;
    item->points = good ? (int)n : 0;
  }
  if (!good)
    return nnb__fail(NNB_E_PARSE,
                     "space: %s: wanted LOW..HIGH, then log if the scale is logarithmic, then the number of "
                     "values in a grid, 2 to %d",
                     item->name, MOST_POINTS);
  const nnb__option_type type = item->option ? item->option->type : NNB__TYPE_CODE;
  item->whole = type == NNB__TYPE_INT || type == NNB__TYPE_LONG || type == NNB__TYPE_SEED;
  return check_range(item);
}

static nnb_status read_item(nnb__space *space, char *text) {
  char *equals = strchr(text, '='), shown[NNB__SHOWN_TEXT];
  if (space->n == NNB__MOST_ITEMS) return nnb__fail(NNB_E_PARSE, "space: more than %d items", NNB__MOST_ITEMS);
  if (!equals) return nnb__fail(NNB_E_PARSE, "space: %s; wanted NAME=VALUES", nnb__show(text, strlen(text), shown));
  *equals = '\0';
  const char *name = trim(text);
  const bool ours = strcmp(name, layers_name) == 0 || strcmp(name, activation_name) == 0;
  const nnb__option *option = ours ? NULL : find_option(name);
  if (!ours && (!option || option->type == NNB__TYPE_CODE)) return no_item(name);
  if (nnb__space_has(space, name)) return nnb__fail(NNB_E_PARSE, "space: %s is given twice", name);
  nnb__item *item = &space->item[space->n++];
  *item = (nnb__item){.name = trim(text), .option = option};
  char *dots = strstr(equals + 1, "..");
  return dots ? read_range(item, equals + 1, dots) : read_list(item, equals + 1);
}

nnb_status nnb__space_parse(const char *text, nnb__space *out) {
  *out = (nnb__space){0};
  if (!text) return nnb__fail(NNB_E_ARG, "space is NULL");
  out->text = nnb__strdup(text);
  nnb_status status = out->text ? NNB_OK : nnb__fail_nomem("the space of a search");
  for (char *rest = out->text; rest && !status;) {
    char *piece = cut(&rest, ";\n");
    if (*piece) status = read_item(out, piece);
  }
  if (!status && out->n == 0) status = nnb__fail(NNB_E_PARSE, "space: nothing varies; wanted NAME=VALUES");
  if (status) nnb__space_clear(out);
  return status;
}

void nnb__space_clear(nnb__space *space) {
  for (int i = 0; i < space->n; i++) nnb__release(space->item[i].value);
  nnb__release(space->text);
  *space = (nnb__space){0};
}

bool nnb__space_has(const nnb__space *space, const char *name) {
  for (int i = 0; i < space->n; i++)
    if (strcmp(space->item[i].name, name) == 0) return true;
  return false;
}

/* ---- combinations ------------------------------------------------------------------------------------------------ */

static int points(const nnb__item *item) { return item->n > 0 ? item->n : item->points; }

double nnb__space_size(const nnb__space *space, bool finite) {
  double size = 1;
  for (int i = 0; i < space->n; i++) size *= finite && space->item[i].n == 0 ? HUGE_VAL : points(&space->item[i]);
  return size;
}

/* The number at u in 0 … 1 of a range, with few digits. */
static double number_at(const nnb__item *item, double u) {
  char text[NNB__DOUBLE_TEXT];
  double x = item->log ? item->from * pow(item->to / item->from, u) : item->from + u * (item->to - item->from);
  if (item->whole) {
    x = floor(x + 0.5);
  } else {
    nnb__format(text, sizeof text, "%.*g", DIGITS, x);
    nnb__text_to_double(text, &x);
  }
  return fmin(fmax(x, item->from), item->to);
}

void nnb__space_at(const nnb__space *space, int64_t i, nnb__choice *choice) {
  for (int j = space->n - 1; j >= 0; j--) {
    const nnb__item *item = &space->item[j];
    const int n = points(item), k = (int)(i % n);
    choice[j] = (nnb__choice){k, item->n > 0 ? 0 : number_at(item, (double)k / (n - 1))};
    i /= n;
  }
}

void nnb__space_draw(const nnb__space *space, nnb_rng *rng, nnb__choice *choice) {
  for (int j = 0; j < space->n; j++) {
    const nnb__item *item = &space->item[j];
    if (item->n > 0)
      choice[j] = (nnb__choice){.k = (int)nnb_rng_below(rng, (uint32_t)item->n)};
    else
      choice[j] = (nnb__choice){.x = number_at(item, nnb_rng_uniform(rng))};
  }
}

/* ---- candidates -------------------------------------------------------------------------------------------------- */

/* The value as text: of a list itself, a number in buffer. */
static const char *value_of(const nnb__item *item, nnb__choice choice, char buffer[NNB__DOUBLE_TEXT]) {
  if (item->n > 0) return item->value[choice.k];
  show_number(item, choice.x, buffer);
  return buffer;
}

/* The value of the list with that name, or NULL. */
static const char *value_named(const nnb__space *space, const nnb__choice *choice, const char *name) {
  for (int j = 0; j < space->n; j++)
    if (space->item[j].n > 0 && strcmp(space->item[j].name, name) == 0) return space->item[j].value[choice[j].k];
  return NULL;
}

/* Whether a method with these traits takes the option of an item; a full-batch method takes no batch. */
static bool takes(const nnb__item *item, unsigned traits) {
  if (!item->option || traits == 0) return true;
  const unsigned takers = strcmp(item->name, "batch") == 0 ? NNB__TRAIT_STEPS : item->option->takers;
  return takers == NNB__TRAIT_ALL || (takers & traits) != 0;
}

static size_t append(char *out, size_t used, size_t bytes, const char *before, const char *name, const char *value) {
  const int n = snprintf(out ? out + used : NULL, out ? bytes - used : 0, "%s%s%s%s", used ? before : "", name,
                         *name ? "=" : "", value);
  return used + (size_t)n;
}

/* Writes the text of the candidate, with these hidden layers, unless out is NULL; returns its length. */
static size_t write_text(const nnb__space *space, const nnb__choice *choice, const char *layers, unsigned traits,
                         char *out, size_t bytes) {
  char buffer[NNB__DOUBLE_TEXT];
  size_t used = 0;
  for (int j = 0; j < space->n; j++) {
    const nnb__item *item = &space->item[j];
    if (item->option && takes(item, traits))
      used = append(out, used, bytes, " ", item->name, value_of(item, choice[j], buffer));
    else if (!item->option && layers)
      used = append(out, used, bytes, " ", layers_name, layers), layers = NULL; /* for layers and activation once */
  }
  return used;
}

/* Layers without fields get the activation: "20-10:relu" with tanh is "20:tanh-10:relu".  As write_text. */
static size_t write_layers(const char *layers, const char *activation, char *out, size_t bytes) {
  size_t used = 0;
  if (!activation || strcmp(layers, "none") == 0) return append(out, 0, bytes, "", "", layers);
  for (const char *at = layers; *at;) {
    const size_t n = strcspn(at, "-");
    const bool exponent = at - layers > 2 && at[-2] == 'e' && at[-3] >= '0' && at[-3] <= '9'; /* of init_scale=1e-3 */
    const bool plain = strspn(at, "0123456789") == n && !exponent;
    used += (size_t)snprintf(out ? out + used : NULL, out ? bytes - used : 0, "%s%.*s%s%s", used ? "-" : "", (int)n, at,
                             plain ? ":" : "", plain ? activation : "");
    at += n + (at[n] == '-');
  }
  return used;
}

static nnb_status set_options(const nnb__space *space, const nnb__choice *choice, unsigned traits, nnb_fit_opts *fit) {
  char buffer[NNB__DOUBLE_TEXT];
  nnb_status status = NNB_OK;
  for (int j = 0; j < space->n && !status; j++) {
    const nnb__item *item = &space->item[j];
    if (item->option && takes(item, traits)) status = set_option(item->name, value_of(item, choice[j], buffer), fit);
  }
  return status;
}

nnb_status nnb__space_propose(const nnb__space *space, const nnb__choice *choice, const nnb_fit_opts *fit,
                              const char *layers, unsigned (*traits)(nnb_algo algo), nnb__proposal *out) {
  const char *algo = value_named(space, choice, "algo"), *own = value_named(space, choice, layers_name);
  const char *activation = value_named(space, choice, activation_name);
  *out = (nnb__proposal){.fit = *fit};
  if (algo) nnb_algo_find(algo, &out->fit.algo);
  const unsigned has = traits(out->fit.algo);
  nnb_status status = set_options(space, choice, has, &out->fit);
  if (status) return status;
  if (own) layers = own;
  const size_t n = write_layers(layers, activation, NULL, 0) + 1;
  if ((out->layers = nnb__zalloc(n, 1))) {
    write_layers(layers, activation, out->layers, n);
    const size_t m = write_text(space, choice, out->layers, has, NULL, 0) + 1;
    if ((out->text = nnb__zalloc(m, 1))) return write_text(space, choice, out->layers, has, out->text, m), NNB_OK;
  }
  nnb__proposal_clear(out);
  return nnb__fail_nomem("a candidate");
}

void nnb__proposal_clear(nnb__proposal *proposal) {
  nnb__release(proposal->text);
  nnb__release(proposal->layers);
  *proposal = (nnb__proposal){0};
}
