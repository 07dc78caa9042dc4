# R's nnet (decay 0.01, 200 iterations) for tables.py: Rscript tables_nnet.R HIDDEN FILE ...; files as in
# bench/optimisers/defaults.c.  A line for each: the RMSE or the share of wrong answers, the log loss, seconds.
suppressMessages(library(nnet))
arg <- commandArgs(TRUE)
for (path in arg[-1]) {
  f <- file(path, "rb")
  head <- readBin(f, "integer", 5, size = 4)
  part <- function(n) list(x = matrix(readBin(f, "double", n * head[3]), n, byrow = TRUE), y = readBin(f, "double", n))
  train <- part(head[1]); test <- part(head[2])
  close(f)
  set.seed(head[5])
  scale1 <- function(v) { s <- sd(v); if (s > 0) s else 1 }
  m <- colMeans(train$x); s <- apply(train$x, 2, scale1)
  a <- scale(train$x, m, s); b <- scale(test$x, m, s)
  classes <- head[4]
  size <- if (classes) 1 else scale1(train$y)
  y <- if (classes) class.ind(factor(train$y, 0:(classes - 1))) else (train$y - mean(train$y)) / size
  began <- sum(proc.time()[1:2])
  net <- nnet(a, y, size = as.integer(arg[1]), linout = !classes, softmax = classes > 0, decay = 0.01, maxit = 200, trace = FALSE,
              MaxNWts = 1e6)
  seconds <- sum(proc.time()[1:2]) - began
  p <- predict(net, b)
  if (classes) {
    right <- p[cbind(seq_along(test$y), test$y + 1)]
    cat(mean(max.col(p, "first") - 1 != test$y), -mean(log(pmax(right, .Machine$double.eps))), seconds, "\n")
  } else cat(sqrt(mean((p * size + mean(train$y) - test$y)^2)), NA, seconds, "\n")
}
