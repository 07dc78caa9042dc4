! A closure that a network learns inside a time loop.
!
! Lorenz's model of 1996 has K slow variables x and K·J fast ones y, with period K and K·J:
!   dx_k/dt = -x_{k-1}·(x_{k-2} - x_{k+1}) - x_k + F - (h·c/b)·Σ_j y_{jk}
!   dy_i/dt = -c·b·y_{i+1}·(y_{i+2} - y_{i-1}) - c·y_i + (h·c/b)·x_k
! A coarse model has x only, and knows nothing of the last term of the first line, the closure u_k.  The net learns
! u_k as a function of x_{k-1}, x_k, x_{k+1} while the whole model runs: at the end of every window of samples the
! training goes on from the present parameters.  Then coarse models start from new states of the whole one, without
! closure and with it: their right-hand side calls the net at each stage of each step.
!
! E. N. Lorenz, Predictability: a problem partly solved, ECMWF 1996; D. S. Wilks, Q. J. R. Meteorol. Soc. 131 (2005).
program closure
  use, intrinsic :: iso_c_binding, only: wp => c_double
  use nnblas
  implicit none
  integer, parameter :: k = 8, j = 32, windows = 6, samples = 500, starts = 20
  real(wp), parameter :: f = 20, h = 1, c = 10, b = 10, fast_step = 1e-3_wp, slow_step = 5e-3_wp, horizon = 0.5_wp
  type(nnb_net) :: net
  type(nnb_result) :: report
  real(wp) :: x(k), y(k*j), features(3, k*samples), targets(1, k*samples), without, with
  integer :: i

  x = [(f*sin(real(i, wp)), i=1, k)]
  y = [(0.1_wp*cos(real(3*i, wp)), i=1, k*j)]
  call run_whole(x, y, 5.0_wp)
  call net%parse('3-16:tanh-1')
  call collect()
  call net%standardize(features, targets)
  do i = 1, windows
    if (i > 1) call collect()
    call net%fit(features, targets, options='algo=lm max_epochs=15', report=report)
    print '(a, i0, a, f6.3)', 'window ', i, ': root mean squared error of the closure ', rmse()
  end do

  call forecast(without, with)
  print '(a, f4.2, a)', 'error of x after a time of ', horizon, ' (root mean square over new starts)'
  print '(a, f7.3)', '  without closure  ', without
  print '(a, f7.3)', '  learned closure  ', with
  call net%destroy()
  if (with > 0.4_wp*without) error stop 'the closure does not help'

contains

  !> Right-hand side of the slow variables, with the closure u.
  pure function slow(x, u) result(dx)
    real(wp), intent(in) :: x(k), u(k)
    real(wp) :: dx(k)
    dx = -cshift(x, -1)*(cshift(x, -2) - cshift(x, 1)) - x + f + u
  end function

  pure function coupling(y) result(u)
    real(wp), intent(in) :: y(k*j)
    real(wp) :: u(k)
    u = -h*c/b*sum(reshape(y, [j, k]), dim=1)
  end function

  pure subroutine whole(x, y, dx, dy)
    real(wp), intent(in) :: x(k), y(k*j)
    real(wp), intent(out) :: dx(k), dy(k*j)
    dx = slow(x, coupling(y))
    dy = -c*b*cshift(y, 1)*(cshift(y, 2) - cshift(y, -1)) - c*y + h*c/b*reshape(spread(x, 1, j), [k*j])
  end subroutine

  !> The whole model for a time, by the Runge-Kutta method of order 4.
  subroutine run_whole(x, y, time)
    real(wp), intent(inout) :: x(k), y(k*j)
    real(wp), intent(in) :: time
    real(wp) :: dx(k, 4), dy(k*j, 4)
    integer :: step
    do step = 1, nint(time/fast_step)
      call whole(x, y, dx(:, 1), dy(:, 1))
      call whole(x + fast_step/2*dx(:, 1), y + fast_step/2*dy(:, 1), dx(:, 2), dy(:, 2))
      call whole(x + fast_step/2*dx(:, 2), y + fast_step/2*dy(:, 2), dx(:, 3), dy(:, 3))
      call whole(x + fast_step*dx(:, 3), y + fast_step*dy(:, 3), dx(:, 4), dy(:, 4))
      x = x + fast_step/6*(dx(:, 1) + 2*dx(:, 2) + 2*dx(:, 3) + dx(:, 4))
      y = y + fast_step/6*(dy(:, 1) + 2*dy(:, 2) + 2*dy(:, 3) + dy(:, 4))
    end do
  end subroutine

  !> What the net sees of x: a column for each of the k places.
  pure function around(x) result(columns)
    real(wp), intent(in) :: x(k)
    real(wp) :: columns(3, k)
    columns(1, :) = cshift(x, -1)
    columns(2, :) = x
    columns(3, :) = cshift(x, 1)
  end function

  !> Runs the whole model and keeps what the net is to learn.
  subroutine collect()
    integer :: s
    do s = 1, samples
      call run_whole(x, y, 10*fast_step)
      features(:, (s - 1)*k + 1:s*k) = around(x)
      targets(1, (s - 1)*k + 1:s*k) = coupling(y)
    end do
  end subroutine

  function rmse()
    real(wp) :: rmse
    type(nnb_result) :: metrics
    call net%evaluate(features, targets, metrics=metrics)
    rmse = metrics%number('rmse')
  end function

  !> The closure: one prediction for all places.
  function learned(x) result(u)
    real(wp), intent(in) :: x(k)
    real(wp) :: u(k), y(1, k)
    call net%predict(around(x), y)
    u = y(1, :)
  end function

  function coarse(with_net, x) result(dx)
    logical, intent(in) :: with_net
    real(wp), intent(in) :: x(k)
    real(wp) :: dx(k), u(k)
    u = 0
    if (with_net) u = learned(x)
    dx = slow(x, u)
  end function

  !> The coarse model for a time.
  subroutine run_coarse(x, time, with_net)
    real(wp), intent(inout) :: x(k)
    real(wp), intent(in) :: time
    logical, intent(in) :: with_net
    real(wp) :: d(k, 4)
    integer :: step
    do step = 1, nint(time/slow_step)
      d(:, 1) = coarse(with_net, x)
      d(:, 2) = coarse(with_net, x + slow_step/2*d(:, 1))
      d(:, 3) = coarse(with_net, x + slow_step/2*d(:, 2))
      d(:, 4) = coarse(with_net, x + slow_step*d(:, 3))
      x = x + slow_step/6*(d(:, 1) + 2*d(:, 2) + 2*d(:, 3) + d(:, 4))
    end do
  end subroutine

  subroutine forecast(without, with)
    real(wp), intent(out) :: without, with
    real(wp) :: plain(k), closed(k)
    integer :: s
    without = 0
    with = 0
    do s = 1, starts
      plain = x
      closed = x
      call run_whole(x, y, horizon)
      call run_coarse(plain, horizon, .false.)
      call run_coarse(closed, horizon, .true.)
      without = without + sum((plain - x)**2)
      with = with + sum((closed - x)**2)
    end do
    without = sqrt(without/(starts*k))
    with = sqrt(with/(starts*k))
  end subroutine
end program
