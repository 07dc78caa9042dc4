/* nn/attr.h: the fields of a layer as text, by its attribute table, for strings and files. */
#ifndef NNB__ATTR_H
#define NNB__ATTR_H

#include "real.h"
#include "text.h"

/* Whether each name of the layer's attributes is its own, also among what files keep of every node (net_keys.h), and if
 * output, of outputs. */
nnb_status nnb__attr_check(const nnb_layer_ops *ops, bool output);

/* The attribute with that name, of n characters; NULL if the layer has none. */
const nnb_attr *nnb__attr_find(const nnb_layer_ops *ops, const char *name, size_t n);

/* The field's value as text.  Valid as long as `text`, or forever. */
const char *nnb__attr_get(const nnb_attr *attr, const void *self, char text[NNB__DOUBLE_TEXT]);

/* Sets the field; false if the text is not a value of its type.  The layer's shape checks whether the value is valid.
 */
bool nnb__attr_set(const nnb_attr *attr, void *self, const char *text);

#endif
