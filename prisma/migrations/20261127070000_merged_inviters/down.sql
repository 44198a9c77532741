create or replace function merge_memberships(survivor uuid, merged uuid) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  -- a link that is being made by the other is waited for, and then found below
  select from public.memberships m where m.user_id = merged order by m.organization_id for update;
  insert into public.memberships as kept (
    organization_id, user_id, role, status, joined_at, left_at, job_title, department
  )
  select
    m.organization_id, survivor, coalesce(after.role, m.role), m.status, m.joined_at, m.left_at, m.job_title,
    m.department
  from public.memberships m
  left join public.merged_memberships(survivor, merged) after on after.organization_id = m.organization_id
  where m.user_id = merged
  on conflict (organization_id, user_id) do update
    set role = excluded.role,
        status = 'ACTIVE',
        joined_at = least(kept.joined_at, excluded.joined_at),
        job_title = case
          when kept.status = 'ACTIVE' then coalesce(kept.job_title, excluded.job_title)
          else coalesce(excluded.job_title, kept.job_title)
        end,
        department = case
          when kept.status = 'ACTIVE' then coalesce(kept.department, excluded.department)
          else coalesce(excluded.department, kept.department)
        end
    where excluded.status = 'ACTIVE';
  update public.payment_links l
  set created_by_id = survivor
  from public.memberships m
  where m.user_id = merged and l.organization_id = m.organization_id and l.created_by_id = merged;
  update public.memberships set status = 'LEFT' where user_id = merged and status in ('ACTIVE', 'INVITED')
$$;
