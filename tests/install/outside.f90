! The installed Fortran module in a program outside of the project.
program outside
  use, intrinsic :: iso_c_binding, only: c_double
  use nnblas
  implicit none
  type(nnb_net) :: net
  real(c_double) :: x(2, 4), t(1, 4), y(1, 4)
  character(16) :: version
  x = reshape([0d0, 0d0, 0d0, 1d0, 1d0, 0d0, 1d0, 1d0], [2, 4])
  t(1, :) = [0d0, 1d0, 1d0, 0d0]
  call get_command_argument(1, version)
  if (nnb_version() /= version) error stop 'another version'
  call net%parse('2-4:tanh-1:sigmoid')
  call net%fit(x, t, options='lr=0.3 batch=full max_epochs=2000')
  call net%predict(x, y)
  call net%destroy()
  if (any(nint(y) /= nint(t))) error stop 'it did not learn'
end program
