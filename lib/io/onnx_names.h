/* io/onnx_names.h: keys of the metadata that libnnblas writes into ONNX files: nnblas.column.0, nnblas.class.0, … */
#ifndef NNB__ONNX_NAMES_H
#define NNB__ONNX_NAMES_H

#define NNB__ONNX_NAMES "nnblas."

#endif
