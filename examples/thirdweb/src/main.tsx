import { createRoot } from 'react-dom/client';
import { ThirdwebProvider } from 'thirdweb/react';
import { App } from './app.tsx';

const root = document.getElementById('app');
if (root) {
  createRoot(root).render(
    <ThirdwebProvider>
      <App />
    </ThirdwebProvider>,
  );
}
