/* nn/net.h: the struct of a net. */
#ifndef NNB__NET_H
#define NNB__NET_H

#include <stdatomic.h>

#include "block.h"
#include "columns.h"
#include "layer.h"
#include "status.h"
#include "table.h"
#include "tuned_loss.h"

typedef struct nnb__node {
  const nnb_layer_ops *ops;
  void *self;        /* ops->size bytes */
  const char *name;  /* owned by the net's table */
  int *from, n_from; /* nodes, counted from 1 */
  int activation;    /* nnb_activation, or NNB_OWN_ACTIVATION + index into the net's own ones */
  unsigned frozen;
  nnb_needs needs;
  size_t off;         /* of its block in the parameters */
  size_t buffers_off; /* of its buffers behind net->params */
  int x_col;          /* input: its first column of x */
  int out_col;        /* output: its first column of y; -1: not an output */
  int loss;           /* output: nnb_loss or NNB_OWN_LOSS + index; NNB_LOSS_AUTO: the loss of the net */
  double factor;
  double delta, smoothing; /* output: options of its own loss (nnb_loss_opts); 0: not set */
  nnb__tuned tuned;        /* output of a sealed net: its loss, where options are set */
  int n_consumers;
} nnb__node;

typedef struct nnb__scaler { /* shift and factor, n each; shift NULL: none */
  real *shift, *factor;
  int n;
  nnb_scaling scaling; /* how they came from the data */
} nnb__scaler;

typedef struct nnb__names {
  char **name; /* n strings, any of them NULL */
  int n;
} nnb__names;

typedef struct nnb__kind { /* the nodes with the same kind of layer */
  const nnb_layer_ops *ops;
  int count;
  int numbered; /* names with a number at the end are used up to this number */
} nnb__kind;

struct nnb_net {
  nnb__node *nodes;      /* node k is nodes[k - 1] */
  nnb__table node_names; /* its name is text k - 1 */
  nnb__kind *kinds;
  size_t cap_nodes, cap_kinds, n_kinds;
  int n_nodes, n_x, n_y;
  nnb_status status;          /* the first error of the building calls */
  char message[NNB__MESSAGE]; /* its message */
  int loss;
  double delta, smoothing; /* its options */
  double derivatives;      /* weight of the targets of derivatives; 0: 1 */
  uint64_t seed;
  bool exact; /* plans compute in the defined arithmetic (base/exact.h) */
  nnb__scaler in, out;
  nnb__names columns, classes;
  nnb_columns *table; /* of the inputs; NULL where columns has no names */
  const nnb_act_ops **own_acts;
  const nnb_loss_ops **own_losses;
  size_t cap_acts, cap_losses;
  int n_own_acts, n_own_losses;
  nnb_record *history;   /* of the last fit */
  nnb_training training; /* of the last fit; without a version: none */
  /* valid once sealed */
  atomic_bool sealed;
  atomic_bool held;             /* by a changing call, until it returns: nnb__net_begin */
  atomic_bool shown;            /* within that call the program saw the parameters: nnb__net_show */
  real *params, *params_memory; /* the parameters, then the buffers; aligned; the memory to release */
  size_t n_params, n_buffers;
  size_t n_values;    /* both together: what copies, best epochs and rejected calls restore */
  int coupling;       /* the first node that couples rows; 0: none */
  int drawing;        /* the first node that is random in training; 0: none */
  int looking;        /* the first node that reads whole numbers (nnb_needs.levels); 0: none */
  bool whole_rows;    /* a node needs all rows at once in training */
  nnb__block *blocks; /* one per node with parameters, in order */
  int *block_node;
  int n_blocks;
};

/* An empty net without nodes; NULL if out of memory, with a message. */
nnb_net *nnb__net_new(void);
/* Releases the parameters and the list of their blocks. */
void nnb__net_release_params(nnb_net *net);
void nnb__net_release_names(nnb__names *names);

/* The first error of the building calls, with its message; NNB_E_ARG for NULL; else NNB_OK. */
nnb_status nnb__net_check(const nnb_net *net);
/* The first check of every call that changes a net: NNB_E_STATE while another call holds it, for example in a
 * callback. */
nnb_status nnb__net_idle(const nnb_net *net);
/* For building calls: NNB_OK, the first error, or NNB_E_STATE for a sealed net. */
nnb_status nnb__net_open(nnb_net *net);
/* Records the error of a building call (status and nnb_errmsg()) and returns it.  If there is an earlier error, or the
 * net is sealed, it returns that instead. */
nnb_status nnb__net_stick(nnb_net *net, nnb_status status);
/* The entry of the nodes with this kind of layer; for a new kind, an empty entry that is not in the list yet. */
nnb__kind nnb__net_kind(const nnb_net *net, const nnb_layer_ops *ops);
/* Adds a node and takes ownership of its self and from.  numbered: the number at the end of a default name, or 0.
 * NNB_E_NOMEM, NNB_E_OVERFLOW: nothing has changed. */
nnb_status nnb__net_add(nnb_net *net, const nnb__node *node, const char *name, int numbered);
/* Node number `node`, or NULL with a message if there is none. */
nnb__node *nnb__net_node(const nnb_net *net, int node);
bool nnb__node_is_input(const nnb__node *node);
/* Whether its layer is handed all rows of a job at once in runs that train. */
bool nnb__node_wants_whole(const nnb__node *node);
/* A node that reads column c of x as whole numbers, after node `after` (0: the first); NULL: none. */
const nnb__node *nnb__net_looks_at(const nnb_net *net, int c, const nnb__node *after);
/* Columns of x that are whole numbers keep their units in the scaler of the inputs. */
void nnb__net_spare_whole(nnb_net *net);
/* NNB_E_UNSUPPORTED, with the name of the layer, where a sealed net couples rows: `what` needs independent ones. */
nnb_status nnb__net_check_uncoupled(const nnb_net *net, const char *what);
/* The same where a layer is random in training: `what` minimises one function. */
nnb_status nnb__net_check_fixed(const nnb_net *net, const char *what);

/* NNB_E_UNSUPPORTED where the defined arithmetic has no kernels. */
nnb_status nnb__check_exact(void);

const nnb_act_ops *nnb__net_act(const nnb_net *net, int activation);
/* The loss of an output: the table that runs, and the one of the loss without its options. */
const nnb_loss_ops *nnb__net_plain_loss(const nnb_net *net, const nnb__node *output);
const nnb_loss_ops *nnb__net_loss_ops(const nnb_net *net, const nnb__node *output);

/* Copies n numbers each; NNB_E_NOMEM. */
nnb_status nnb__net_set_scaler(nnb_net *net, bool targets, nnb_scaling scaling, int n, const real *shift,
                               const real *factor);
/* Copies n names; get(context, i) returns name i, which may be NULL.  NNB_E_NOMEM. */
nnb_status nnb__net_set_names(nnb__names *names, int n, const char *(*get)(const void *context, int i),
                              const void *context);
/* Copies the columns that the inputs come from; table NULL: those with the names of the net.  NNB_E_NOMEM. */
nnb_status nnb__net_set_table(nnb_net *net, const nnb_columns *table);
void nnb__net_release_columns(nnb_net *net);
void nnb__net_keep_history(nnb_net *net, nnb_record *history);

#endif
