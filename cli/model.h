/* cli/model.h: a saved net, and a table for it, as `predict` and `score` open them. */
#ifndef MODEL_H
#define MODEL_H

#include "table.h"

typedef struct model_flags {
  table_flags table;
  const char *model, *path; /* the net's file, the table */
  bool unused;              /* the command takes neither, this time */
} model_flags;

/* The arguments MODEL and TABLE, and how the table is read: a child of a command's argp; its input is a model_flags. */
extern const struct argp model_flags_argp;

/* Loads a net that was saved, or one of an ONNX file, whose name ends in .onnx; an exit code. */
int load_net(const char *path, nnb_net **net);

/* The same for the argument MODEL. */
int load_model(const model_flags *flags, nnb_net **net);

/* Reads the table: its inputs by name where the net has names, with the net's targets or without any: in a table
 * whose columns have no names, or not all of them, a target is left out by its name. */
int read_table_for_model(const model_flags *flags, const nnb_net *net, bool with_targets, nnb_data **data);

#endif
